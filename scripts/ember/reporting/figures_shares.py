"""Shares by site: endotype states as stacked bars with the share inflamed beside them, and a table of completeness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ember.endotypes.comparable import NOT_COMPARED
from ember.reporting.figure_style import (
    GRID,
    INK,
    MUTED,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    canvas,
    label_room,
    light_grid,
    place,
    site_look,
    svg_text,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing


STATE_COLOURS = {
    "not_inflamed": SKY,
    "intermediate": ORANGE,
    "inflamed_unsupported": "#e8915a",
    "inflamed_single": VERMILION,
    "inflamed_supported": VERMILION,
    "inflamed_persistent": "#a04000",
    "inflamed_not_metabolic": "#e8915a",
    "immuno_metabolic": VERMILION,
    NOT_COMPARED: "#e8915a",
    "acute_suspect": PURPLE,
    "persistent_above_10": PURPLE,
    "discordant": "#999999",
    "indeterminate": "#c3c8ce",
}


@dataclass(frozen=True)
class SiteShares:
    """States of one site: share of each (None: protected), and the inflamed with their interval."""

    site: str
    label: str
    states: list[tuple[str, str, float | None]]
    inflamed: float | None
    low: float | None
    high: float | None


def shares_figure(name: str, rows: Sequence[SiteShares], sites: Sequence[str]) -> str:
    """Draw one row a site: states on the left, share inflamed with its interval on the right."""
    from matplotlib.ticker import PercentFormatter

    body = 0.36 * len(rows) + 0.1
    left = label_room([row.label for row in rows])
    with canvas(6.8, body + 1.3) as drawing:
        stacked = place(drawing, left, 0.95, 4.25 - left, body)
        dots = place(drawing, 4.6, 0.95, 2.0, body)
        for number, row in enumerate(rows):
            _stack(stacked, -number, row)
            if row.low is not None and row.high is not None and row.inflamed is not None:
                colour, shape = (INK, "D") if row.site == "all" else site_look(sites, row.site)
                dots.plot([row.low, row.high], [-number, -number], color=colour, linewidth=1.6)
                dots.plot([row.inflamed], [-number], marker=shape, color=colour, markersize=7)
            else:
                compared = NOT_COMPARED not in [state for state, _, _ in row.states]
                why = "protected" if compared else "not compared"
                dots.text(0.02, -number, why, fontsize=8, color=MUTED, va="center")
        stacked.set_yticks([-number for number in range(len(rows))], [row.label for row in rows])
        dots.set_yticks([])
        for axes in (stacked, dots):
            axes.set_ylim(-len(rows) + 0.5, 0.5)
        stacked.set_xlim(0, 1)
        upper = max([row.high for row in rows if row.high is not None] + [0.1])
        dots.set_xlim(0, min(1.0, upper * 1.15))
        stacked.set_title("States at the visit", fontweight="bold")
        dots.set_title("Share inflamed", fontweight="bold")
        for axes in (stacked, dots):
            axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
            light_grid(axes)
            axes.spines["left"].set_visible(False)
        _legend(drawing, rows)
        return svg_text(drawing, name)


def _stack(axes: Axes, height: float, row: SiteShares) -> None:
    known = sum(share for _, _, share in row.states if share is not None)
    hidden = [state for state, _, share in row.states if share is None]
    left = 0.0
    for state, _, share in row.states:
        if share:
            axes.barh(height, share, 0.62, left=left, color=STATE_COLOURS.get(state, MUTED), linewidth=0)
            if share > 0.07:
                dark = state in ("inflamed_single", "inflamed_supported", "inflamed_persistent", "immuno_metabolic")
                colour = "#ffffff" if dark else "#1c242c"
                axes.text(
                    left + share / 2, height, f"{100 * share:.0f} %", ha="center", va="center", fontsize=8, color=colour
                )
            left += share
    if hidden and known < 1:
        axes.barh(height, 1 - known, 0.62, left=left, facecolor="none", edgecolor=MUTED, hatch="////", linewidth=0.6)


def _legend(drawing: Drawing, rows: Sequence[SiteShares]) -> None:
    from matplotlib.patches import Patch

    seen = {state: label for row in rows for state, label, share in row.states if share is None or share > 0}
    handles = [Patch(color=STATE_COLOURS.get(state, MUTED), label=label) for state, label in seen.items()]
    if any(share is None for row in rows for _, _, share in row.states):
        handles.append(Patch(facecolor="none", edgecolor=MUTED, hatch="////", label="Protected"))
    drawing.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0.0, 0.0),
        ncols=3,
        frameon=False,
        fontsize=8.2,
        handlelength=1.2,
    )


def completeness_figure(
    name: str, lines: Sequence[str], columns: Sequence[str], cells: Sequence[Sequence[float | str | None]]
) -> str:
    """Draw a grid of shares present, one column a site; darker is more complete, hatched is protected.

    Parameters
    ----------
    cells : sequence of rows
        Share, None where protected, "" where the site does not measure it.
    """
    from matplotlib.patches import Rectangle

    left, width, height = label_room(lines), 1.05 * len(columns), 0.27 * len(lines)
    with canvas(left + width + 0.05, height + 0.35) as drawing:
        axes = place(drawing, left, 0.05, width, height)
        axes.set_xlim(0, len(columns))
        axes.set_ylim(len(lines), 0)
        for down, row in enumerate(cells):
            for across, share in enumerate(row):
                shaded = isinstance(share, float)
                axes.add_patch(
                    Rectangle(
                        (across + 0.03, down + 0.06), 0.94, 0.88, linewidth=0 if shaded else 0.6,
                        facecolor=_shade(share) if isinstance(share, float) else "none",
                        edgecolor=GRID, hatch="////" if share is None else None,
                    )
                )  # fmt: skip
                text = f"{100 * share:.0f} %" if isinstance(share, float) else ("†" if share is None else "·")
                light = isinstance(share, float) and share > 0.6
                colour = "#ffffff" if light else ("#1c242c" if shaded else MUTED)
                axes.text(across + 0.5, down + 0.5, text, ha="center", va="center", fontsize=8.4, color=colour)
        axes.xaxis.tick_top()
        axes.set_xticks([number + 0.5 for number in range(len(columns))], list(columns))
        axes.set_yticks([number + 0.5 for number in range(len(lines))], list(lines))
        axes.tick_params(length=0)
        for side in axes.spines.values():
            side.set_visible(False)
        return svg_text(drawing, name)


def _shade(share: float) -> str:
    pale, deep = (0xD9, 0xE8, 0xF2), (0x00, 0x5A, 0x8E)
    mixed = [round(a + (b - a) * share) for a, b in zip(pale, deep, strict=True)]
    return "#" + "".join(f"{part:02x}" for part in mixed)
