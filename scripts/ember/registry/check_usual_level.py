"""Cross-check the usual level of a scheme: its cut, and where the variability within persons comes from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ember.errors import EmberError
from ember.registry.known import unknown
from ember.registry.registry import Registry, Row
from ember.registry.yaml_file import YamlFile

REPEATS = "repeats"
ADDITIVE = "sd"

Content = dict[str, Any]


def usual_level_findings(scheme: Content, registry: Registry, document: YamlFile) -> Iterator[EmberError]:
    """Yield what is wrong with the block `usual_level` of a scheme."""
    declared = scheme.get("usual_level")
    if declared is None:
        return
    analyte = scheme["analyte"]
    own = [name for name, text in scheme["thresholds"].items() if text.split()[0] == analyte]
    cuts = [name for name in own if name != scheme["acute"]]
    what = f"a threshold of {analyte} below the acute one"
    yield from unknown(declared["cut"], cuts, what, document, ("usual_level", "cut"))
    named = declared["within_person"]
    if (named == REPEATS) != ("minimum_repeats" in declared):
        yield EmberError(
            "`minimum_repeats:` belongs to `within_person: repeats`, and only there.",
            where=document.place(("usual_level", "within_person")),
        )
    if named == REPEATS:
        return
    rows = {row["within_person"]: row for row in registry.rows("within_person") if row["analyte"] == analyte}
    what = f"`repeats` or a row of {analyte} in within_person.csv"
    yield from unknown(named, [REPEATS, *rows], what, document, ("usual_level", "within_person"))
    if named in rows:
        yield from _row_findings(rows[named], declared, document)


def _row_findings(row: Row, declared: Content, document: YamlFile) -> Iterator[EmberError]:
    where = document.place(("usual_level", "within_person"))
    if row["measure"] == ADDITIVE:
        yield EmberError(
            f"'{row['within_person']}' is an SD of {row['value']} {row['unit']}, and the error of a biomarker is "
            "multiplicative.",
            where=where,
            fix="Name a row with a coefficient of variation or an SD of the logarithm, or use `repeats`.",
        )
    elif row["includes_assay"] == "false" and "assay_cv" not in declared:
        yield EmberError(
            f"'{row['within_person']}' leaves out the error of the assay.",
            where=where,
            fix="Declare the assay's coefficient of variation under `assay_cv:`.",
        )
