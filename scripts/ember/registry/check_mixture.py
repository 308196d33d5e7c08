"""Cross-check a mixture against the study and the registry."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ember.errors import EmberError
from ember.registry.check_scheme import ANALYTE, analytes_of, included
from ember.registry.known import unknown
from ember.registry.mixtures import frozen_file, read_frozen
from ember.registry.model import Study
from ember.registry.registry import Registry
from ember.registry.yaml_file import YamlFile

MEAN_OF_ALL = "mean_z"
NEEDED = ("analytes", "classes", "covariance", "starts", "variance_floor", "anchor", "choose")
"""What a mixture that is fitted here has to say, and one that is taken frozen has no say in."""
OPTIONAL = ("minimum", "shifts", "bootstrap", "leave_one_site_out")

Content = dict[str, Any]


def mixture_findings(study: Study, content: Content, registry: Registry, document: YamlFile) -> Iterator[EmberError]:
    """Yield everything in a mixture that leads nowhere or does not fit together."""
    visits = [visit.id for visit in study.visits]
    yield from unknown(content["visit"], visits, "a visit of the study", document, ("visit",))
    for index, scheme in enumerate(content.get("compare", ())):
        yield from unknown(scheme, study.schemes, "an endotype scheme of the study", document, ("compare", index))
    if content["mixture"] in study.schemes:
        yield EmberError("A scheme of the study has this name.", where=document.place(("mixture",)))
    file = frozen_file(study.folder, content)
    if file is not None:
        yield from _frozen_findings(file, content, document)
        return
    absent = [key for key in NEEDED if key not in content]
    if absent:
        yield EmberError(
            f"The mixture does not say {', '.join(absent)}.",
            where=document.place(()),
            fix="Say how it is fitted, or name a `frozen:` one.",
        )
        return
    yield from _analyte_findings(study, content, registry, document)
    if content["anchor"] != MEAN_OF_ALL:
        what = f"an analyte of the mixture or {MEAN_OF_ALL}"
        yield from unknown(content["anchor"], [*content["analytes"], MEAN_OF_ALL], what, document, ("anchor",))
    if content["classes"]["from"] > content["classes"]["to"]:
        yield EmberError("The fewest classes are more than the most.", where=document.place(("classes",)))
    if content.get("minimum", 1) > len(content["analytes"]):
        yield EmberError("The mixture has fewer analytes than a participant must have.",
                         where=document.place(("minimum",)))  # fmt: skip


def _frozen_findings(file: Path, content: Content, document: YamlFile) -> Iterator[EmberError]:
    for key in (*NEEDED, *OPTIONAL):
        if key in content:
            yield EmberError(
                f"A frozen mixture is applied unchanged: `{key}` has no say.", where=document.place((key,))
            )
    try:
        read_frozen(file)
    except EmberError as error:
        yield error


def _analyte_findings(study: Study, content: Content, registry: Registry, document: YamlFile) -> Iterator[EmberError]:
    analytes = [row["analyte"] for row in registry.rows("analytes")]
    items = {f"{row['instrument']}_{row['item']}" for row in registry.rows("instrument_items")}
    outcomes = {row["instrument"] for row in registry.rows("instruments")} | items
    outcomes |= {row["construct"] for row in registry.rows("constructs")}
    for index, analyte in enumerate(content["analytes"]):
        keys = ("analytes", index)
        if analyte in outcomes and analyte not in analytes:
            yield EmberError(
                f"'{analyte}' is an outcome: classes made of it would explain it by itself.",
                where=document.place(keys),
                fix="Name laboratory results alone.",
            )
            continue
        yield from unknown(analyte, analytes, ANALYTE, document, keys)
        if analyte in analytes and not any(analyte in analytes_of(site) for site in included(study)):
            yield EmberError(f"No site of the analysis measures {analyte}.", where=document.place(keys))
