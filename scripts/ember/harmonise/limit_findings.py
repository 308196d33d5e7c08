"""What a study is asked about detection limits: heaps that may be fills, and limits that the numbers contradict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from ember.harmonise.fills import Heap, Method, methods
from ember.registry.model import Answer, Site, Study
from ember.tables.store import conform, empty_table

LEAST_DISTINCT = 3
LEAST_SHARE = 0.01
"""So many different numbers without a sign, and such a share of all, below the limit contradict it."""


def limit_findings(study: Study, site: Site, heaps: Sequence[Heap], counts: pl.DataFrame, stage: str) -> pl.DataFrame:
    """Return the findings on fills and limits of a site, and a warning for each answer to what did not arise.

    Parameters
    ----------
    heaps : sequence of Heap
        Of `fills.find_heaps`.
    counts : DataFrame
        Of `fills.add_counts`.

    Notes
    -----
    A heap that may stand for "below the limit" while its rows are still numbers is an error: an answer `exclude`
    takes these rows out, `confirm` keeps them as numbers, and `below:` or `limits:` in the site file makes them
    censored. Where the rows are left-censored at the limit anyway it is a warning, and so is a limit with several
    different numbers below it: they are censored, which is true but tells less than they do if the laboratory's own
    limit is lower.
    """
    rows = [_heap_row(study, heap, name) for name, heap in _named(asked(heaps), "fill", site)]
    doubted = [(method, told) for method, part in methods(counts) if (told := _numbers_below(method, part))]
    for name, (method, told) in _named(doubted, "limit", site):
        message = (
            f"{method.analyte}: {told[1]} different numbers without a sign lie below the limit of detection of "
            f"{method.assay_id or 'the site'}; they count as below it. If the laboratory can measure them, declare "
            "its own `limits:`; if not, `below:` says how they are marked"
        )
        rows.append(_row(study, name, "value.limit_contradicted", "warning", told[0], message))
    arisen = {row["finding"] for row in rows}
    for answer in study.answers:
        if answer.finding.startswith((f"fill:{site.id}:", f"limit:{site.id}:")) and answer.finding not in arisen:
            message = f"study.yaml answers {answer.finding}, which does not arise: the answer changes nothing"
            name = f"unanswerable:{answer.finding}"
            rows.append(_row(study, name, "finding.not_found", "warning", None, message))
    if not rows:
        return empty_table("findings")
    table = pl.DataFrame([{**row, "stage": stage, "site": site.id} for row in rows], infer_schema_length=None)
    return conform(table, "findings")


def asked(heaps: Sequence[Heap]) -> list[Heap]:
    """Return the heaps that the study has to explain."""
    return [heap for heap in heaps if heap.doubt]


def excluded_heaps(study: Study, site: Site, heaps: Sequence[Heap]) -> list[tuple[Answer, pl.Expr]]:
    """Return the answers that take a heap out, each with where its rows stand.

    The expression needs the columns of `detection_limits.with_limits`, operator and number.
    """
    found = []
    for name, heap in _named(asked(heaps), "fill", site):
        answer = study.answer(name)
        if answer is not None and answer.action == "exclude":
            method = heap.method
            named = {
                "source_file": method.source_file,
                "analyte": method.analyte,
                "assay_id": method.assay_id,
                "unit_reported": method.unit_reported,
                "detection_limit": method.detection_limit,
                "number": heap.number,
                "operator": "",
            }
            found.append((answer, pl.all_horizontal(pl.col(key).eq_missing(value) for key, value in named.items())))
    return found


def _named(things: Sequence[Any], kind: str, site: Site) -> list[tuple[str, Any]]:
    """Return each thing with the id of its finding: kind, site, analyte, assay, and a number from the second on."""
    seen: dict[str, int] = {}
    named = []
    for thing in things:
        method: Method = thing.method if isinstance(thing, Heap) else thing[0]
        name = f"{kind}:{site.id}:{method.analyte}:{method.assay_id or 'no_assay'}"
        seen[name] = seen.get(name, 0) + 1
        named.append((name if seen[name] == 1 else f"{name}:{seen[name]}", thing))
    return named


def _numbers_below(method: Method, part: pl.DataFrame) -> tuple[int, int] | None:
    """Return how many rows and different numbers lie below the limit, if they contradict it."""
    if method.limit is None:
        return None
    below = part.filter((pl.col("what") == "number") & (pl.col("number") < method.limit * (1 - 1e-9)))
    total, n = int(part.filter(pl.col("what") == "all")["n"].sum()), int(below["n"].sum())
    return (n, below.height) if below.height >= LEAST_DISTINCT and n >= LEAST_SHARE * total else None


def _heap_row(study: Study, heap: Heap, name: str) -> dict[str, Any]:
    method = heap.method
    message = (
        f"{method.analyte}: the lowest number of {method.source_file} is far more frequent than those above it and "
        f"may stand for results below the limit; {heap.doubt}. Declare it under `below:` or `limits:` of the site "
        "file, or answer: confirm keeps the numbers, exclude takes them out"
    )
    return _row(study, name, "value.fill_suspect", "warning" if heap.below else "error", heap.n, message)


def _row(study: Study, name: str, rule_id: str, severity: str, n: int | None, message: str) -> dict[str, Any]:
    answer = study.answer(name)
    return {
        "finding": name,
        "rule_id": rule_id,
        "severity": severity,
        "n": n,
        "message": message,
        "answered": answer is not None,
        "action": answer.action if answer else None,
        "reason": answer.reason if answer else None,
    }
