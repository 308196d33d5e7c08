"""Estimates side by side on one axis: forest plots of sites, and every variant of an analysis."""

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
from ember.reporting.numbers import percent_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class ForestRow:
    """One line: label, columns of text, estimate with interval; kind is site, pooled, prediction or variant."""

    label: str
    columns: tuple[str, ...]
    estimate: float | None
    low: float | None
    high: float | None
    kind: str = "site"
    site: str | None = None
    weight: float | None = None
    marked: bool = False


@dataclass(frozen=True)
class ForestWords:
    """Headers of the columns, the axis and what its two sides mean."""

    axis: str
    headers: tuple[str, ...]
    left: str = ""
    right: str = ""
    reference: float | None = 0.0
    nothing: str = "withheld"
    logarithmic: bool = False
    percent: bool = False


def forest_figure(name: str, rows: Sequence[ForestRow], words: ForestWords, sites: Sequence[str] = ()) -> str:
    """Draw a forest plot; text columns stand left and right of the axis, weights are the size of the marks."""
    top = 0.5 if words.left or words.right else 0.1
    body = 0.3 * (len(rows) + 1)
    with canvas(7.0, body + top + 0.55) as drawing:
        labels, axes, texts = (
            place(drawing, left, 0.55, width, body) for left, width in ((0.05, 2.15), (2.35, 2.5), (5.0, 1.95))
        )
        _draw_marks(axes, rows, words, sites)
        for panel in (labels, texts):
            panel.set_axis_off()
            panel.set_ylim(axes.get_ylim())
            panel.set_xlim(0, 1)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        for number, row in enumerate(rows):
            bold = "bold" if row.kind == "pooled" or row.marked else "normal"
            labels.text(0, -number, row.label, va="center", ha="left", fontsize=9, fontweight=bold)
            _write_columns(labels, texts, -number, row.columns, bold)
        _write_columns(labels, texts, 0.95, words.headers, "bold", MUTED)
        axes.set_xlabel(words.axis)
        return svg_text(drawing, name)


def _write_columns(
    labels: Axes, texts: Axes, height: float, cells: Sequence[str], weight: str, colour: str = INK
) -> None:
    """The first cell stands left of the axis, the second and third right of it."""
    columns = ((labels, 1.0, "right"), (texts, 0.02, "left"), (texts, 1.0, "right"))
    for (panel, at, side), cell in zip(columns, cells, strict=False):
        panel.text(at, height, cell, va="center", ha=side, fontsize=8.8, fontweight=weight, color=colour)


def _draw_marks(axes: Axes, rows: Sequence[ForestRow], words: ForestWords, sites: Sequence[str]) -> None:
    axes.set_ylim(-len(rows) + 0.5, 1.5)
    if words.reference is not None:
        axes.axvline(words.reference, color=INK, linewidth=1)
    for number, row in enumerate(rows):
        _draw_interval(axes, -number, row, sites)
        if row.estimate is None and row.kind != "prediction":
            centre = words.reference if words.reference is not None else 0.5
            axes.text(centre, -number, words.nothing, ha="center", va="center", fontsize=8, color=MUTED)
    light_grid(axes, "x")
    _widen(axes, rows, words)
    left = f"← {words.left}" if words.left else ""
    right = f"{words.right} →" if words.right else ""
    for text, at, lift, side, colour in ((left, 0.0, 16, "left", BLUE), (right, 1.0, 3, "right", VERMILION)):
        axes.annotate(
            text, (at, 1.0), (0, lift), xycoords="axes fraction", textcoords="offset points", ha=side, va="bottom",
            fontsize=8.2, color=colour, annotation_clip=False,
        )  # fmt: skip


def _draw_interval(axes: Axes, height: float, row: ForestRow, sites: Sequence[str]) -> None:
    if row.low is None or row.high is None:
        return
    if row.kind == "prediction":
        axes.plot([row.low, row.high], [height, height], color=MUTED, linewidth=5, solid_capstyle="butt", alpha=0.55)
        return
    if row.kind == "pooled":
        middle = row.estimate if row.estimate is not None else 0.0
        axes.fill(
            [row.low, middle, row.high, middle], [height, height + 0.28, height, height - 0.28], color=INK, linewidth=0
        )
        return
    colour, shape = site_look(sites, row.site) if row.site else (VERMILION if row.marked else INK, "o")
    axes.plot([row.low, row.high], [height, height], color=colour, linewidth=2 if row.marked else 1.5)
    size = 6.0 if row.weight is None else 4.5 + 6.0 * row.weight**0.5
    if row.estimate is not None:
        axes.plot([row.estimate], [height], marker=shape, color=colour, markersize=size, linestyle="none")


def _widen(axes: Axes, rows: Sequence[ForestRow], words: ForestWords) -> None:
    from matplotlib.ticker import FuncFormatter

    ends = [end for row in rows for end in (row.low, row.high) if end is not None]
    if words.reference is not None:
        ends.append(words.reference)
    if ends and words.logarithmic:
        plain_log_axis(axes, min(ends) / 1.15, max(ends) * 1.15)
    elif ends:
        low, high = min(ends), max(ends)
        room = 0.06 * (high - low or 1.0)
        axes.set_xlim(low - room, high + room)
    if words.percent:
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: percent_text(value, 0)))
    axes.spines["bottom"].set_color(GRID)
