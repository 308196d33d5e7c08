"""Distributions of results by site before and after harmonisation, as small multiples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ember.reporting.figure_style import GRID, INK, MUTED, VERMILION, canvas, place, plain_log_axis, site_look, svg_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Panel:
    """The histogram of one site and stage: bin edges, counts (None: protected) and limits, in one unit."""

    site: str
    label: str
    unit: str
    low: list[float]
    high: list[float]
    counts: list[int | None]
    limit: float | None = None


def distributions_figure(
    name: str, pairs: Sequence[tuple[Panel | None, Panel | None]], analyte: str, threshold: int, sites: Sequence[str]
) -> str:
    """Draw one row a site: as reported on the left, in the common unit on the right.

    Parameters
    ----------
    threshold : int
        Protected bins are drawn as open bars of this height.
    """
    panels = [panel for pair in pairs for panel in pair if panel is not None]
    filled = [
        (low, high)
        for panel in panels
        for low, high, n in zip(panel.low, panel.high, panel.counts, strict=True)
        if n is None or n > 0
    ]
    low, high = min(low for low, _ in filled), max(high for _, high in filled)
    rows = len(pairs)
    with canvas(6.6, 0.85 + 0.95 * rows) as drawing:
        grid = [
            [place(drawing, left, 0.55 + 0.95 * (rows - 1 - row), 3.1, 0.87) for left in (0.1, 3.4)]
            for row in range(rows)
        ]
        for number, pair in enumerate(pairs):
            for axes, panel in zip(grid[number], pair, strict=True):
                plain_log_axis(axes, low, high)
                axes.spines["left"].set_visible(False)
                axes.set_yticks([])
                axes.tick_params(length=0, labelbottom=number == rows - 1)
                if panel is not None:
                    _draw_panel(axes, panel, threshold, sites)
        grid[0][0].set_title("As reported", fontweight="bold")
        grid[0][1].set_title("After harmonisation", fontweight="bold")
        units = {pair[1].unit for pair in pairs if pair[1] is not None}
        grid[-1][0].set_xlabel(f"{analyte}, unit of the site, log scale")
        grid[-1][1].set_xlabel(f"{analyte}, {' or '.join(sorted(units))}, log scale")
        return svg_text(drawing, name)


def _draw_panel(axes: Axes, panel: Panel, threshold: int, sites: Sequence[str]) -> None:
    colour, _ = site_look(sites, panel.site)
    top = max([n for n in panel.counts if n is not None] + [threshold, 1])
    for low, high, n in zip(panel.low, panel.high, panel.counts, strict=True):
        if n is None:
            axes.bar(
                low,
                min(threshold, top),
                high - low,
                align="edge",
                facecolor="none",
                edgecolor=MUTED,
                linewidth=0.6,
                hatch="////",
            )
        elif n:
            axes.bar(low, n, high - low, align="edge", color=colour, alpha=0.8, linewidth=0)
    if panel.limit is not None:
        axes.axvspan(axes.get_xlim()[0], panel.limit, color=GRID, alpha=0.7, linewidth=0, zorder=0)
        axes.axvline(panel.limit, color=VERMILION, linewidth=0.9)
    total = sum(n for n in panel.counts if n is not None)
    more = "≥ " if any(n is None for n in panel.counts) else ""
    axes.set_ylim(0, top * 1.3)
    axes.text(
        0.995, 0.98, f"{panel.label}, {panel.unit}, n {more or '= '}{total:,}", transform=axes.transAxes, ha="right",
        va="top", fontsize=8.2, color=INK,
    )  # fmt: skip
