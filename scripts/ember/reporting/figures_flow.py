"""The flow of participants, drawn from counts."""

from __future__ import annotations

from collections.abc import Sequence

from ember.reporting.figure_style import GRID, INK, MUTED, PAPER, canvas, svg_text

LINE = 0.2
WIDTH = 6.6


def flow_figure(
    name: str,
    enrolled: Sequence[str],
    excluded: Sequence[str],
    analysed: Sequence[str],
    left_out: Sequence[str] = (),
) -> str:
    """Draw three boxes and their arrows; each box is a list of lines, the first in bold.

    Parameters
    ----------
    left_out : sequence of str
        Sites that the study leaves out, in a box of their own; empty if there is none.
    """
    from matplotlib.patches import FancyBboxPatch

    heights = [0.26 + LINE * len(lines) for lines in (enrolled, excluded, analysed)]
    gap = 0.3
    side_height = 0.26 + LINE * len(left_out) if left_out else 0.0
    top = max(heights[0], side_height)
    total = top + gap + heights[1] + gap + heights[2] + 0.1
    with canvas(WIDTH, total) as drawing:
        axes = drawing.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.set_xlim(0, WIDTH)
        axes.set_ylim(-total, 0)

        def box(left: float, upper: float, width: float, lines: Sequence[str], colour: str = INK) -> None:
            height = 0.26 + LINE * len(lines)
            axes.add_patch(
                FancyBboxPatch(
                    (left, upper - height), width, height, boxstyle="round,pad=0,rounding_size=0.04",
                    facecolor=PAPER, edgecolor=colour, linewidth=1.1,
                )
            )  # fmt: skip
            for number, line in enumerate(lines):
                axes.text(
                    left + 0.12, upper - 0.13 - LINE * (number + 0.5), line, va="center", ha="left",
                    fontsize=9, fontweight="bold" if number == 0 else "normal",
                )  # fmt: skip

        middle = 1.25
        arrow = {"arrowstyle": "-|>", "color": MUTED, "linewidth": 1.2, "shrinkA": 0, "shrinkB": 0}
        second = -0.05 - top - gap
        third = second - heights[1] - gap
        box(0.05, -0.05, 2.6, enrolled)
        axes.annotate("", (middle, third), (middle, -0.05 - heights[0]), arrowprops=arrow)
        if excluded:
            turn = second - heights[1] / 2
            axes.annotate("", (2.0, turn), (middle, turn), arrowprops=arrow)
            box(2.0, second, WIDTH - 2.05, excluded, MUTED)
        box(0.05, third, 2.6, analysed)
        if left_out:
            box(3.0, -0.05, WIDTH - 3.05, left_out, GRID)
        return svg_text(drawing, name)
