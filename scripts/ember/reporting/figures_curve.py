"""The effect across the range of a biomarker: line, band, decile rug, cuts and detection limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ember.reporting.figure_style import (
    BLUE,
    GRID,
    INK,
    MUTED,
    VERMILION,
    canvas,
    light_grid,
    place,
    plain_log_axis,
    site_look,
    svg_text,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


WIDTH, HEIGHT = 5.8, 3.7


@dataclass(frozen=True)
class Line:
    """One curve with its band: positions on the exposure's scale and the effect there."""

    label: str
    at: list[float]
    estimate: list[float]
    low: list[float]
    high: list[float]
    rug: list[float]
    site: str | None = None


@dataclass(frozen=True)
class CurveWords:
    """What stands on the axes and beside the lines."""

    horizontal: str
    vertical: str
    above: str = ""
    below: str = ""


def curve_figure(
    name: str,
    lines: Sequence[Line],
    words: CurveWords,
    cuts: Sequence[tuple[float, str]] = (),
    limit: float | None = None,
    sites: Sequence[str] = (),
) -> str:
    """Draw curves on a logarithmic exposure.

    Parameters
    ----------
    cuts : sequence of (position, label)
        Reference cuts, drawn as thin labelled lines.
    limit : float, optional
        Highest detection limit; values below it are shaded.
    sites : sequence of str
        Sites of the study in order, for colour and shape.
    """
    positions = [at for line in lines for at in line.at]
    low, high = min(positions), max(positions)
    with canvas(WIDTH, HEIGHT) as drawing:
        axes = place(drawing, 0.75, 0.55, WIDTH - (1.3 if len(lines) > 1 else 0.85), HEIGHT - 0.65)
        plain_log_axis(axes, low, high)
        light_grid(axes, "y")
        axes.axhline(0, color=INK, linewidth=1)
        if limit is not None and limit > low:
            axes.axvspan(low, min(limit, high), color=GRID, alpha=0.6, linewidth=0)
        for line in lines:
            colour = BLUE if line.site is None else site_look(sites, line.site)[0]
            axes.fill_between(line.at, line.low, line.high, color=colour, alpha=0.18, linewidth=0)
            axes.plot(line.at, line.estimate, color=colour, linewidth=2.2)
            if len(lines) > 1:
                axes.annotate(
                    line.label, (line.at[-1], line.estimate[-1]), xytext=(4, 0), textcoords="offset points",
                    color=INK, va="center", fontsize=8.5, annotation_clip=False,
                )  # fmt: skip
        bottom, top = axes.get_ylim()
        room = top - bottom
        bottom, top = bottom - 0.06 * room, top + 0.1 * room
        axes.set_ylim(bottom, top)
        for position, label in cuts:
            if low < position < high:
                axes.axvline(position, color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)))
                axes.text(position, top, f" {label}", fontsize=8, color=MUTED, va="top", ha="left")
        rug = [point for line in lines for point in line.rug if low <= point <= high]
        axes.vlines(rug, bottom, bottom + 0.045 * (top - bottom), color=INK, linewidth=1.2)
        _sides(axes, words)
        axes.set_xlabel(words.horizontal)
        axes.set_ylabel(words.vertical)
        return svg_text(drawing, name)


def _sides(axes: Axes, words: CurveWords) -> None:
    if words.above:
        axes.text(
            0.99, 0.86, words.above, transform=axes.transAxes, ha="right", va="top", fontsize=8.5, color=VERMILION
        )
    if words.below:
        axes.text(0.99, 0.09, words.below, transform=axes.transAxes, ha="right", va="bottom", fontsize=8.5, color=BLUE)
