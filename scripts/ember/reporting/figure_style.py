"""How every figure looks, and how it becomes the same bytes each time."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import matplotlib

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

INK = "#25303b"
MUTED = "#66707b"
GRID = "#d3d8de"
PAPER = "#fefefe"
BLUE = "#0072b2"
VERMILION = "#d55e00"
GREEN = "#009e73"
PURPLE = "#cc79a7"
ORANGE = "#e69f00"
SKY = "#56b4e9"
SITE_COLOURS = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)
SITE_SHAPES = ("o", "s", "^", "D", "v", "P", "X", "p")
"""Okabe and Ito's palette without black and yellow; eight shapes, so that 24 sites differ in colour or shape."""

THEMED = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    GRID: "var(--grid)",
    PAPER: "var(--paper)",
    BLUE: "var(--blue)",
    VERMILION: "var(--vermilion)",
    GREEN: "var(--green)",
}

STYLE: dict[str, Any] = {
    "svg.hashsalt": "ember",
    "svg.fonttype": "path",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.5,
    "axes.titlesize": 10,
    "axes.labelsize": 9.5,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.titlecolor": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "hatch.linewidth": 0.6,
    "axes.unicode_minus": True,
    "path.simplify": False,
    "axes.axisbelow": True,
}


def site_look(sites: Sequence[str], site: str) -> tuple[str, str]:
    """Return colour and shape of a site: its place among the study's sites decides, in every figure."""
    place = sites.index(site) if site in sites else 0
    return SITE_COLOURS[place % len(SITE_COLOURS)], SITE_SHAPES[place % len(SITE_SHAPES)]


@contextmanager
def canvas(width: float, height: float) -> Iterator[Drawing]:
    """Yield an empty drawing of a size in inches under the report's style.

    Notes
    -----
    Axes are placed by hand, in inches: matplotlib's layout solver gives other last digits from run to run.
    """
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure as Drawing

    with matplotlib.rc_context(cast(Any, STYLE)):
        drawing = Drawing(figsize=(width, height))
        FigureCanvasSVG(drawing)
        yield drawing


def place(drawing: Drawing, left: float, bottom: float, width: float, height: float) -> Axes:
    """Add axes whose frame has this place and size in inches from the lower left corner."""
    across, up = drawing.get_size_inches()
    return drawing.add_axes((left / across, bottom / up, width / across, height / up))


def label_room(labels: Sequence[str], size: float = 9.0) -> float:
    """Return the inches that the longest label needs at a font size, on the safe side."""
    return 0.2 + max((len(label) for label in labels), default=0) * size * 0.0084


def svg_text(drawing: Drawing, name: str) -> str:
    """Return a drawing as SVG: no date, no random ids, and ids that no other figure of the page has."""
    buffer = io.StringIO()
    drawing.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    ids = {found: f"{name}-{number}" for number, found in enumerate(dict.fromkeys(re.findall(r'\bid="([^"]+)"', text)))}
    text = re.sub(r'\bid="([^"]+)"', lambda found: f'id="{ids[found[1]]}"', text)
    text = re.sub(r'(xlink:href|href)="#([^"]+)"', lambda found: f'{found[1]}="#{ids[found[2]]}"', text)
    text = re.sub(r"url\(#([^)]+)\)", lambda found: f"url(#{ids[found[1]]})", text)
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def themed(svg: str) -> str:
    """Return an SVG for a page: neutral colours from the page's variables, so it follows light and dark."""
    for colour, variable in THEMED.items():
        svg = svg.replace(colour, variable)
    return svg.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)


def light_grid(axes: Axes, axis: str = "x") -> None:
    """Draw thin grid lines along one axis and take the ticks of the other away."""
    axes.grid(True, axis=axis, color=GRID, linewidth=0.7)  # type: ignore[arg-type]
    axes.tick_params(length=0)


def plain_log_axis(axes: Axes, low: float, high: float) -> None:
    """Put a log scale on x with round numbers as a person writes them."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

    axes.set_xscale("log")
    axes.set_xlim(low, high)
    candidates: list[float] = []
    for steps in ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)):
        candidates = [round(m * 10.0**e, 8) for e in range(-4, 6) for m in steps if low <= m * 10.0**e <= high]
        if len(candidates) >= 4:
            break
    else:
        candidates = [float(tick) for tick in MaxNLocator(5).tick_values(low, high) if low <= tick <= high]
    axes.xaxis.set_major_locator(FixedLocator(candidates))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
