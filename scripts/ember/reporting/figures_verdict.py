"""The plots of a verdict about types: densities with one and two components, and curves between comparisons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ember.reporting.figure_style import BLUE, INK, VERMILION, canvas, light_grid, place, svg_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, PANEL_HEIGHT = 6.6, 2.35
LEFT, RIGHT, GAP, BOTTOM, TOP = 0.55, 0.15, 0.62, 0.6, 0.35
COLUMNS = 2
LOOKS = {
    "data": (INK, "-", 2.0),
    "one_component": (BLUE, "--", 1.5),
    "two_components": (VERMILION, "-.", 1.5),
    "dimensional": (BLUE, "--", 1.5),
    "categorical": (VERMILION, "-.", 1.5),
}
"""Colour, line and width: the two explanations differ in both, so that the figure reads without colour."""
LEGEND_ROOM = 1.3
"""Height of a panel of densities with a legend, over what its curves need."""


@dataclass(frozen=True)
class Curve:
    """A line of a panel, and its band if it has one."""

    series: str
    label: str
    x: list[float]
    y: list[float]
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Panel:
    """Lines on common axes."""

    title: str
    horizontal: str
    vertical: str
    curves: list[Curve]


def panels_figure(name: str, panels: Sequence[Panel]) -> str:
    """Draw panels two in a row, the legend in the first."""
    rows = -(-len(panels) // COLUMNS)
    height = rows * (PANEL_HEIGHT + BOTTOM) + TOP
    width = (WIDTH - LEFT - RIGHT - GAP) / COLUMNS
    with canvas(WIDTH, height) as drawing:
        for number, panel in enumerate(panels):
            row, column = divmod(number, COLUMNS)
            left = LEFT + column * (width + GAP)
            bottom = height - TOP - (row + 1) * PANEL_HEIGHT - row * BOTTOM
            axes = place(drawing, left, bottom, width, PANEL_HEIGHT - 0.25)
            _panel(axes, panel)
            if number == 0:
                density = panel.vertical == "density"
                axes.set_ylim(top=axes.get_ylim()[1] * (LEGEND_ROOM if density else 1))
                axes.legend(fontsize=7.5, frameon=False, loc="upper right" if density else "best", handlelength=1.8)
        return svg_text(drawing, name)


def _panel(axes: Axes, panel: Panel) -> None:
    for curve in panel.curves:
        colour, line, width = LOOKS[curve.series]
        if curve.low:
            axes.fill_between(curve.x, curve.low, curve.high, color=colour, alpha=0.15, linewidth=0)
        axes.plot(curve.x, curve.y, color=colour, linestyle=line, linewidth=width, label=curve.label)
    light_grid(axes, "y")
    axes.set_title(panel.title, loc="left")
    axes.set_xlabel(panel.horizontal)
    axes.set_ylabel(panel.vertical)
