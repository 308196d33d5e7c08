"""The page of the documentation, from the evidence of `make bench`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

Evidence = dict[str, Any]

MADE_BY = """\
Made by `make bench`: EMBER, plain pandas + statsmodels and plain R on the same extract, in turn, {turns}.
EMBER runs its whole workflow from nothing: gates, ledger, disclosure, report and release included, which the plain
scripts do not have. Machine:"""
STAGES = """\
Each stage: wall seconds / CPU seconds, summed over its jobs (two run at a time) / largest memory of a job in MB. A job
of a second or two is the start of Python and its imports; the gates import Great Expectations (6 s).
"""
REACHED = """\
From nothing to the end of a stage, all jobs and ledgers before it included, two jobs at a time, from the start of the
first job to the end of the last, beside the whole wall time and memory of the plain scripts. *standardised*: reading,
splitting by site, pseudonyms, standard tables. *harmonised*: units, limits, evidence, scores as well. *gated*: with the
gates on raw, standard and harmonised tables in Great Expectations.
"""
LARGE = """\
The same at {participants:,} participants, run once; beside the largest size above.
"""
EQUAL = """\
EMBER's equal the plain scripts' to 6 digits at every size (the mixed model: R's; statsmodels' stops short of the
optimum). These are the largest size's.
"""


def as_markdown(evidence: Evidence) -> str:
    """Return the page."""
    m = evidence["machine"]
    sizes = evidence["sizes"]
    repeats = evidence["repeats"]
    made_by = MADE_BY.format(turns="once" if repeats == 1 else f"{repeats} times; medians")
    parts = [
        "# What EMBER costs\n",
        f"{made_by} {m['cores']} cores, {m['memory_gib']} GiB, Python {m['python']}, {m['system']}.\n",
        totals(sizes),
        "## From raw extracts to harmonised tables\n",
        REACHED,
        reached(sizes),
        *(large(sizes[-1], evidence["large"]) if "large" in evidence else []),
        "## Where EMBER's time goes\n",
        STAGES,
        stages(sizes),
        "## Where the plain scripts' time goes\n",
        "Wall seconds of each step, as the scripts print them.\n",
        plain_stages(sizes),
        "## The same estimates\n",
        EQUAL,
        estimates(sizes[-1]["estimates"]),
    ]
    return "\n".join(parts)


def totals(sizes: Sequence[Evidence]) -> str:
    """Return wall, CPU and memory of each peer, with their ratios to EMBER's."""
    rows = []
    for size in sizes:
        ours = size["medians"]["ember"]
        for name, cost in size["medians"].items():
            numbers = [f"{cost['wall']:.1f}", f"{cost['cpu']:.1f}", f"{cost['memory']:.0f}"]
            ratios = [f"{ours[part] / cost[part]:.2f}" for part in ("wall", "cpu", "memory")]
            rows.append([f"{size['participants']:,}", name, *numbers, *(ratios if name != "ember" else ["", "", ""])])
    header = ["participants", "", "wall s", "CPU s", "peak MB", "EMBER / it: wall", "CPU", "memory"]
    return table(header, rows)


def reached(sizes: Sequence[Evidence]) -> str:
    """Return what it takes to come so far, with its share of what the plain scripts take for everything."""
    rows = []
    for size in sizes:
        peers = [size["medians"].get(name) for name in ("R", "pandas")]
        for name, cost in size["reached"].items():
            shares = [f"{cost['wall'] / peer['wall']:.2f}" if peer else "" for peer in peers]
            memory = f"{cost['memory'] / peers[0]['memory']:.2f}" if peers[0] else ""
            numbers = [f"{cost['wall']:.1f}", f"{cost['engine']:.1f}", f"{cost['memory']:.0f}"]
            rows.append([f"{size['participants']:,}", name, *numbers, *shares, memory])
    header = ["participants", "", "wall s", "with the engine's start s", "peak MB"]
    return table([*header, "of plain R's wall", "of plain pandas' wall", "of plain R's memory"], rows)


def large(before: Evidence, size: Evidence) -> list[str]:
    """Return time and memory of the largest size beside those of the size before it."""
    rows = []
    for name, cost in size["reached"].items():
        other = before["reached"][name]
        ratios = [f"{cost[part] / other[part]:.2f}" for part in ("wall", "memory")]
        rows.append([name, f"{cost['wall']:.1f}", f"{cost['memory']:.0f}", *ratios])
    header = ["", "wall s", "peak MB", f"wall / at {before['participants']:,}", "memory / it"]
    return [LARGE.format(participants=size["participants"]), table(header, rows)]


def stages(sizes: Sequence[Evidence]) -> str:
    """Return the cost of each of EMBER's stages by size."""
    rules = dict.fromkeys(rule for size in sizes for rule in size["stages"])
    rows = []
    for rule in rules:
        costs = [size["stages"].get(rule) for size in sizes]
        cells = [f"{c['wall']:.1f} / {c['cpu']:.1f} / {c['memory']:.0f}" if c else "" for c in costs]
        rows.append([rule, *cells])
    return table(["stage", *(f"{size['participants']:,}" for size in sizes)], rows)


def plain_stages(sizes: Sequence[Evidence]) -> str:
    """Return the wall seconds of each step of the plain scripts by size."""
    rows = []
    for peer in sizes[0]["plain_stages"]:
        for name in sizes[0]["plain_stages"][peer]:
            rows.append([f"{peer}: {name}", *(f"{size['plain_stages'][peer][name]:.1f}" for size in sizes)])
    return table(["step", *(f"{size['participants']:,}" for size in sizes)], rows)


def estimates(compared: dict[str, dict[str, float]]) -> str:
    """Return the estimates of all peers side by side."""
    peers = [peer for peer in ("ember", "pandas", "R") if any(peer in row for row in compared.values())]
    return table(["", *peers], [[name, *(f"{row[peer]:.9g}" for peer in peers)] for name, row in compared.items()])


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table, numbers to the right."""
    lines = [f"| {' | '.join(header)} |", "|---|" + "---:|" * (len(header) - 1)]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"
