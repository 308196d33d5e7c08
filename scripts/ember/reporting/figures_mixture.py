"""The profiles of the classes of a mixture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ember.reporting.figure_style import INK, SITE_COLOURS, SITE_SHAPES, canvas, label_room, light_grid, place, svg_text

WIDTH = 6.6
ROW, BOTTOM, TOP, KEY = 0.62, 0.5, 0.12, 0.3


@dataclass(frozen=True)
class Profile:
    """A class: geometric means over those of everybody, and one spread below and above; None if protected."""

    label: str
    ratio: list[float | None]
    low: list[float | None]
    high: list[float | None]


def profiles_figure(name: str, analytes: Sequence[str], profiles: Sequence[Profile]) -> str:
    """Draw every analyte as a row, every class as a point with the band of its middle two thirds of people."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    left, height = label_room(analytes), ROW * len(analytes)
    with canvas(WIDTH, BOTTOM + height + TOP + KEY) as drawing:
        axes = place(drawing, left, BOTTOM, WIDTH - left - 0.2, height)
        axes.set_xscale("log")
        for number, profile in enumerate(profiles):
            colour, shape = SITE_COLOURS[number % len(SITE_COLOURS)], SITE_SHAPES[number % len(SITE_SHAPES)]
            offset = (number - (len(profiles) - 1) / 2) * 0.8 / max(len(profiles), 1)
            for row, (ratio, low, high) in enumerate(zip(profile.ratio, profile.low, profile.high, strict=True)):
                if ratio is None or low is None or high is None:
                    continue
                axes.plot([low, high], [row + offset] * 2, color=colour, linewidth=1.4)
                axes.plot([ratio], [row + offset], shape, color=colour, markersize=5)
            axes.plot([], [], shape, color=colour, markersize=5, label=profile.label)
        axes.axvline(1.0, color=INK, linewidth=0.8)
        axes.set_ylim(len(analytes) - 0.5, -0.5)
        axes.set_yticks(range(len(analytes)), list(analytes))
        axes.xaxis.set_major_locator(LogLocator(base=10, subs=(1.0, 2.0, 5.0), numticks=12))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
        axes.set_xlabel("Times the geometric mean of everybody, log scale")
        light_grid(axes)
        drawing.legend(loc="upper left", ncols=3, frameon=False, fontsize=8.2)
        return svg_text(drawing, name)
