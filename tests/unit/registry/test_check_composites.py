"""Composites in study files: their reference and its platform, selection by a result, and what is not pooled."""

from __future__ import annotations

from pathlib import Path

import pytest

from ember.registry.load import load_study
from tests.unit.registry.study_folder import change, findings

NORTH, SOUTH, BANDS, COURSE = "sites/north.yaml", "sites/south.yaml", "endotypes/bands.yaml", "analyses/course.yaml"
MSD, LUMINEX = "msd_vplex_il6", "luminex_hs_il6"
HEADER = "reference,analyte,platform,unit,ln_mean,ln_sd,n,n_below,population,source,verified"
SUPPORT = """\
thresholds:
  composite_above_reference: composite > 0
support:
  all_of: [composite_above_reference]
  met: {rule: high_with, state: inflamed_supported}
  not_met: {rule: high_without, state: inflamed_unsupported}
  unknown: crp_only
"""


def panel(study: Path, block: str, north: str = MSD, south: str = MSD) -> None:
    """Give both sites IL-6 and TNF, and the scheme a composite that supports it."""
    for site, il6 in (("north", north), ("south", south)):
        own = f"  il6: {{column: IL6, unit: pg/mL, specimen: serum, assay: {il6}, visits: [baseline]}}\n"
        tnf = "  tnf: {column: TNF, unit: pg/mL, specimen: serum, assay: msd_vplex_tnf, visits: [baseline]}\n"
        change(study, f"sites/{site}.yaml", "measurements:\n", f"measurements:\n{own}{tnf}")
        path = study / "data" / f"{site}.csv"
        first, *rest = path.read_text(encoding="utf-8").splitlines()
        lines = [f"{first},IL6,TNF", *[f"{line},1.5,2.5" for line in rest]]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    change(study, BANDS, "thresholds:\n", SUPPORT.split("support:")[0])
    change(study, BANDS, "inflamed: [inflamed_single]", "support:" + SUPPORT.split("support:")[1] + block)


def composite(variant: str, more: str = "", minimum: int = 2) -> str:
    body = f"analytes: [il6, tnf], variant: {variant}, minimum: {minimum}, below_limit: conditional_mean{more}"
    return f"composite: {{{body}}}\ninflamed: [inflamed_supported]"


def reference(study: Path, *platforms: str) -> None:
    rows = [
        f"own_2020,{a},{p},pg/mL,0.5,0.9,400,12,patients,a test,true"
        for a, p in zip(("il6", "tnf"), platforms, strict=False)
    ]
    (study / "registry").mkdir()
    (study / "registry" / "composite_references.csv").write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")


def test_within_sites(study: Path) -> None:
    panel(study, composite("within_site"))
    assert findings(study) == []


def test_more_analytes_than_there_are(study: Path) -> None:
    panel(study, composite("within_site", minimum=3))
    assert "asks for 3 of 2 analytes" in findings(study)[0]


@pytest.mark.parametrize(
    ("variant", "more"),
    [
        pytest.param("reference", "", id="no reference"),
        pytest.param("within_site", ", reference: own_2020", id="a reference that is not used"),
    ],
)
def test_the_reference_belongs_to_its_variant(study: Path, variant: str, more: str) -> None:
    panel(study, composite(variant, more))
    assert any("`reference:` belongs to `variant: reference`" in text for text in findings(study))


def test_a_reference_on_the_platform_of_all_sites(study: Path) -> None:
    reference(study, "msd_vplex", "msd_vplex")
    panel(study, composite("reference", ", reference: own_2020"))
    assert findings(study) == []


def test_a_reference_refuses_another_platform(study: Path) -> None:
    reference(study, "msd_vplex", "msd_vplex")
    panel(study, composite("reference", ", reference: own_2020"), south=LUMINEX)
    found = findings(study)
    assert len(found) == 1 and "of il6 is on the scale of msd_vplex; south measures with luminex" in found[0]


def test_a_reference_needs_a_row_for_every_analyte(study: Path) -> None:
    reference(study, "msd_vplex")
    panel(study, composite("reference", ", reference: own_2020"))
    assert "'tnf' is not an analyte of the reference own_2020" in findings(study)[0]


def test_an_unknown_reference(study: Path) -> None:
    panel(study, composite("reference", ", reference: nhanes_2015"))
    assert "Nearest: nhanes_2015_16" in findings(study)[0]


def test_a_site_says_by_which_results_it_chose(study: Path) -> None:
    change(study, NORTH, "from: north\n", "from: north\nselected_on: [hscrp]\n")
    loaded, _ = load_study(str(study), environment={})
    assert loaded.sites["north"].selected_on == ("hscrp",)
    change(study, NORTH, "selected_on: [hscrp]", "selected_on: [hscpr]")
    assert "'hscpr' is not an analyte" in findings(study)[0]


@pytest.mark.parametrize("pool", ["one_stage", "by_site"])
def test_shares_by_a_composite_within_sites_are_no_outcome(study: Path, pool: str) -> None:
    panel(study, composite("within_site"))
    old = (study / COURSE).read_text(encoding="utf-8")
    new = old.split("exposure:")[0] + (
        f"bands: {{scheme: bands}}\nmodels:\n  - {{id: pooled, family: survey_proportion, pool: {pool}}}\n"
    )
    (study / COURSE).write_text(new, encoding="utf-8")
    told = "The shares of inflamed_unsupported and inflamed_supported are not comparable between sites"
    assert any(told in text and "bands.scheme" in text for text in findings(study))
    change(study, "study.yaml", "seed: 1", "seed: 1\nexclude_sites: [{site: south, reason: no contract}]")
    assert not any(told in text for text in findings(study))


def test_nor_are_they_the_share_on_the_first_page(study: Path) -> None:
    panel(study, composite("within_site"))
    (study / "report.yaml").write_text(
        "headline: {analysis: course, model: pooled}\ninflamed_share: bands\n", encoding="utf-8"
    )
    [found] = findings(study)
    assert "not comparable between sites" in found and "inflamed_share" in found
