"""Cross-check composites: their reference, its platform, and what may be compared between sites."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ember.endotypes.comparable import compares_states, states_within_site
from ember.errors import EmberError
from ember.registry.check_assays import platforms_of
from ember.registry.known import unknown
from ember.registry.model import Site, Study
from ember.registry.registry import Registry
from ember.registry.yaml_file import YamlFile

Content = dict[str, Any]


def composite_findings(study: Study, scheme: Content, registry: Registry, document: YamlFile) -> Iterator[EmberError]:
    """Yield what is wrong with the composite of a scheme."""
    declared = scheme.get("composite")
    if declared is None:
        return
    if declared["minimum"] > len(declared["analytes"]):
        yield EmberError(
            f"`minimum:` asks for {declared['minimum']} of {len(declared['analytes'])} analytes.",
            where=document.place(("composite", "minimum")),
        )
    if (declared["variant"] == "reference") != ("reference" in declared):
        yield EmberError(
            "`reference:` belongs to `variant: reference`, and only there.",
            where=document.place(("composite", "variant")),
        )
    elif "reference" in declared:
        yield from _reference_findings(study, declared, registry, document)


def _reference_findings(
    study: Study, declared: Content, registry: Registry, document: YamlFile
) -> Iterator[EmberError]:
    """Yield analytes without a row, and sites whose results are on the scale of another platform."""
    rows = registry.rows("composite_references")
    what, keys = "a reference of composite_references.csv", ("composite", "reference")
    name = declared["reference"]
    yield from unknown(name, dict.fromkeys(row["reference"] for row in rows), what, document, keys)
    own = {row["analyte"]: row for row in rows if row["reference"] == name}
    for analyte in declared["analytes"] if own else ():
        what = f"an analyte of the reference {name}"
        yield from unknown(analyte, own, what, document, ("composite", "analytes"))
        if analyte not in own:
            continue
        platform = own[analyte]["platform"]
        for site in study.sites:
            others = {found for found in platforms_of(study, site, analyte, registry) if found != platform}
            if others:
                shown = " and ".join(sorted(one or "an assay that its file does not name" for one in others))
                yield EmberError(
                    f"The reference {name} of {analyte} is on the scale of {platform}; {site} measures with {shown}.",
                    where=document.place(keys),
                    fix="Levels are comparable only within one platform: declare a `bridge:`, or use `within_site`.",
                )


def selection_findings(site: Site, registry: Registry, document: YamlFile) -> Iterator[EmberError]:
    """Yield names under `selected_on:` that are no analyte."""
    analytes = [row["analyte"] for row in registry.rows("analytes")]
    for index, analyte in enumerate(site.selected_on):
        what = "an analyte of config/registry/analytes.csv"
        yield from unknown(analyte, analytes, what, document, ("selected_on", index))


def comparison_findings(study: Study, analysis: Content, document: YamlFile) -> Iterator[EmberError]:
    """Yield an analysis that compares, over sites, shares of states that rest on a composite within sites."""
    scheme = study.schemes.get(analysis.get("bands", {}).get("scheme", ""))
    if scheme is not None and not compares_states(study, scheme):
        yield _not_comparable(scheme, document.place(("bands", "scheme")))


def first_page_findings(study: Study, document: YamlFile) -> Iterator[EmberError]:
    """Yield a share on the first page of the report that rests on a composite within sites."""
    scheme = study.schemes.get(study.report.get("inflamed_share", ""))
    if scheme is not None and not compares_states(study, scheme):
        yield _not_comparable(scheme, document.place(("inflamed_share",)))


def _not_comparable(scheme: Content, where: str) -> EmberError:
    states = " and ".join(states_within_site(scheme))
    return EmberError(
        f"The shares of {states} are not comparable between sites: the composite is standardised within each.",
        where=where,
        fix="Its cut means another level at every site. Use a composite with `variant: reference`, or a scheme of the "
        "screening analyte alone.",
    )
