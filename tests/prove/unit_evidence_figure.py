"""The published operating curve of the unit evidence: a table and a figure for docs/, made from the evidence.

`make prove` writes docs/evidence/unit_evidence.svg and the table of docs/unit-evidence.md between its two marks.
"""

from __future__ import annotations

from typing import Any

from ember.provenance.code import PROJECT
from tests.prove.proof import EVIDENCE

PAGE = PROJECT / "docs" / "unit-evidence.md"
START, END = "<!-- operating curve -->", "<!-- end of operating curve -->"
COLOURS = {0: "#444444", 1: "#b2182b", -1: "#2166ac"}
LABELS = {0: "right unit: false alarm", 1: "10 times too high: found", -1: "10 times too low: found"}


def curve(evidence: dict[str, Any], mechanism: str, n: int, exponent: int) -> list[tuple[float, float, float]]:
    """Return prevalence (middle), share of errors, and share of errors or warnings."""
    start = f"{mechanism} n={n} factor=1e{exponent} prevalence="
    lines = sorted((key.removeprefix(start), line) for key, line in evidence["by_prevalence"].items() if start in key)
    return [(float(key.split("-")[0]) + 0.025, line["error"], line["error"] + line["warning"]) for key, line in lines]


def table(evidence: dict[str, Any]) -> str:
    """Return the operating curve over all prevalences as a Markdown table."""
    lines = ["| values | n | factor | sites | error | warning |", "|---|---|---|---|---|---|"]
    for key, line in sorted(evidence["operating_curve"].items(), key=_place):
        kind, n, factor = key.rsplit(" ", 2)
        exponent = int(factor.removeprefix("factor=1e"))
        shown = "none" if exponent == 0 else f"10^{exponent}"
        lines.append(
            f"| {kind} | {n.removeprefix('n=')} | {shown} | {line['sites']} "
            f"| {100 * line['error']:.1f} % | {100 * line['warning']:.1f} % |"
        )
    return "\n".join(lines)


def _place(item: tuple[str, Any]) -> tuple[str, int, int]:
    kind, n, factor = item[0].rsplit(" ", 2)
    return kind, int(n.removeprefix("n=")), int(factor.removeprefix("factor=1e"))


def draw(evidence: dict[str, Any]) -> None:
    """Write the figure: errors by prevalence (lines), errors or warnings (dotted), a panel a mechanism and size."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "unit_evidence"
    from matplotlib import pyplot

    mechanisms, sizes = ("shift", "subgroup"), (50, 200, 1000)
    figure, axes = pyplot.subplots(2, 3, figsize=(10, 5.5), sharex=True, sharey=True, layout="constrained")
    for row, mechanism in enumerate(mechanisms):
        for column, n in enumerate(sizes):
            panel = axes[row][column]
            for exponent, colour in COLOURS.items():
                points = curve(evidence, mechanism, n, exponent)
                places = [100 * point[0] for point in points]
                panel.plot(places, [100 * p[1] for p in points], color=colour, marker=".", label=LABELS[exponent])
                panel.plot(places, [100 * p[2] for p in points], color=colour, linestyle=":")
            panel.set_title(f"{mechanism}, n = {n}", fontsize=10)
    axes[1][1].set_xlabel("true share of people with hsCRP above 3 mg/L (%); dotted: errors and warnings")
    axes[0][0].set_ylabel("sites (%)")
    axes[1][0].set_ylabel("sites (%)")
    axes[0][2].legend(fontsize=8, loc="center")
    figure.savefig(EVIDENCE / "unit_evidence.svg", metadata={"Date": None})


def publish(evidence: dict[str, Any]) -> None:
    """Renew the table of docs/unit-evidence.md and its figure."""
    text = PAGE.read_text(encoding="utf-8")
    head, tail = text.split(START)[0], text.split(END)[1]
    PAGE.write_text(f"{head}{START}\n{table(evidence)}\n{END}{tail}", encoding="utf-8")
    draw(evidence)
