"""Unit evidence: a shifted batch is named, an ordinary one is not, and an answer changes what it should."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import polars as pl
import pytest

from ember.harmonise.evidence import (
    Suspicion,
    batch_labels,
    describe,
    find_suspicions,
    findings_table,
    nearest_exponent,
    possible_exponents,
    standard_error,
)
from ember.harmonise.units import unit_factors
from ember.registry.model import Answer
from tests.unit.harmonise.harmonise_rows import shared_registry, site_with, study_with

REFERENCE = 0.614  # reference_ln_mean of hsCRP


def batch(
    label: str | None,
    n: int,
    shift: float = 0.0,
    *,
    spread: float = 1.36,
    analyte: str = "hscrp",
    unit: str = "mg/L",
    censored: float = 0.0,
    centre: float = REFERENCE,
) -> pl.DataFrame:
    """Return `n` log-normal values at even quantiles, moved by `shift` decades; a share of them censored."""
    quantiles = np.linspace(-2.2, 2.2, n)
    n_censored = round(censored * n)
    return pl.DataFrame(
        {
            "analyte": [analyte] * n,
            "batch": pl.Series([label] * n, dtype=pl.String),
            "from_unit": [unit] * n,
            "value": np.exp(centre + spread * quantiles) * 10**shift,
            "censoring": ["left"] * n_censored + ["none"] * (n - n_censored),
        }
    )


def suspected(*batches: pl.DataFrame) -> list[Suspicion]:
    return find_suspicions(pl.concat(batches), shared_registry(), {})


def test_a_batch_ten_times_higher_is_named() -> None:
    found = suspected(batch("B1", 80), batch("B2", 80), batch("B3", 62, 1.0, unit="mg/dL"))
    assert [(one.label, one.exponent, one.n, one.n_others) for one in found] == [("B3", 1.0, 62, 160)]
    assert found[0].finding("porto") == "unit:porto:hscrp:B3"


@pytest.mark.parametrize("shift", [pytest.param(s, id=f"{s:+g} decades") for s in (-6.0, -3.0, -1.0, 1.0, 3.0)])
def test_each_usual_slip_is_found_in_its_direction(shift: float) -> None:
    found = suspected(batch("B1", 80), batch("B2", 80), batch("B3", 60, shift))
    assert [(one.label, one.exponent) for one in found] == [("B3", shift)]


@pytest.mark.parametrize(
    ("shift", "named"),
    [
        pytest.param(0.0, False, id="no shift"),
        pytest.param(0.3, False, id="twice as high is biology"),
        pytest.param(0.5, False, id="half way to the factor"),
        pytest.param(0.74, False, id="just too far from the factor"),
        pytest.param(0.77, True, id="just near enough"),
        pytest.param(1.2, True, id="beyond the factor"),
    ],
)
def test_a_batch_is_named_only_near_a_factor(shift: float, named: bool) -> None:
    found = suspected(batch("B1", 200), batch("B2", 200), batch("B3", 200, shift))
    assert ("B3" in [one.label for one in found]) is named


@pytest.mark.parametrize(
    ("n", "others", "named"),
    [
        pytest.param(19, 80, False, id="a batch of 19"),
        pytest.param(20, 80, True, id="a batch of 20"),
        pytest.param(20, 39, False, id="39 others"),
        pytest.param(20, 40, True, id="40 others"),
    ],
)
def test_small_batches_are_no_evidence(n: int, others: int, named: bool) -> None:
    first, second = others // 2, others - others // 2
    found = suspected(batch("B1", first, spread=0.5), batch("B2", second, spread=0.5), batch("B3", n, 1.0, spread=0.5))
    assert ("B3" in [one.label for one in found]) is named


def test_a_shift_within_its_standard_error_is_no_evidence() -> None:
    wide = [batch("B1", 30, spread=4.0), batch("B2", 30, spread=4.0), batch("B3", 20, 1.0, spread=4.0)]
    assert suspected(*wide) == []


def test_a_median_that_is_a_limit_is_no_evidence() -> None:
    groups = [batch("B1", 80), batch("B2", 80)]
    assert suspected(*groups, batch("B3", 60, 1.0, censored=0.5)) == []
    assert len(suspected(*groups, batch("B3", 60, 1.0, censored=0.4))) == 1


def test_where_two_halves_disagree_both_are_named() -> None:
    found = suspected(batch("B1", 60, spread=0.5), batch("B2", 60, 1.0, spread=0.5))
    assert [(one.label, one.exponent) for one in found] == [("B1", -1.0), ("B2", 1.0)]


def test_rows_without_batch_are_among_the_others() -> None:
    assert [one.n_others for one in suspected(batch(None, 100), batch("B3", 60, 1.0))] == [100]


@pytest.mark.parametrize(
    ("shift", "named"),
    [
        pytest.param(0.0, False, id="at the reference"),
        pytest.param(0.79, False, id="just below 0.8 decades"),
        pytest.param(0.81, True, id="just above 0.8 decades"),
        pytest.param(-1.0, True, id="ten times lower"),
        pytest.param(1.45, False, id="between two usual slips of an analyte without such units"),
    ],
)
def test_a_whole_site_is_held_against_the_reference(shift: float, named: bool) -> None:
    found = suspected(batch(None, 40, shift, analyte="nlr", unit="1", spread=0.466, centre=0.646))
    assert [one.label for one in found] == (["all"] if named else [])


def test_a_site_of_nineteen_values_is_no_evidence() -> None:
    assert suspected(batch(None, 19, 1.0)) == []
    assert len(suspected(batch(None, 20, 1.0))) == 1


def test_an_analyte_without_reference_is_judged_by_its_batches_alone() -> None:
    rows = [batch(label, 60, 3.0, analyte="ferritin", unit="ng/mL") for label in ("B1", "B2")]
    assert suspected(*rows) == []
    assert [one.label for one in suspected(*rows, batch("B3", 60, 0.0, analyte="ferritin", unit="ng/mL"))] == ["B3"]


def test_values_at_zero_have_no_logarithm_and_do_not_count() -> None:
    zeros = batch("B3", 62, 1.0).with_columns(pl.lit(0.0).alias("value"))
    assert suspected(batch("B1", 80), batch("B2", 80), zeros) == []


def test_exponents_are_the_ratios_of_the_units_and_the_usual_slips() -> None:
    factors = unit_factors(shared_registry(), "fibrinogen", {})
    exponents = possible_exponents(factors)
    assert round(math.log10(0.34), 9) in exponents
    assert {-6.0, -3.0, -1.0, 1.0, 3.0, 6.0} <= set(exponents)
    assert 0.0 not in exponents
    assert possible_exponents({"1": Fraction(1)}) == [-6.0, -3.0, -1.0, 1.0, 3.0, 6.0]


@pytest.mark.parametrize(
    ("shift", "expected"),
    [
        pytest.param(1.0, 1.0, id="on it"),
        pytest.param(0.76, 1.0, id="near it"),
        pytest.param(0.75, None, id="at the distance"),
        pytest.param(0.0, None, id="no shift"),
        pytest.param(-0.2, None, id="nearer to no shift than to half a decade"),
        pytest.param(-0.4, -0.5, id="nearer to half a decade than to no shift"),
    ],
)
def test_nearest_exponent(shift: float, expected: float | None) -> None:
    assert nearest_exponent(shift, [-0.5, 1.0], 0.25) == expected


def test_standard_error_of_a_median_agrees_with_resampling() -> None:
    generator = np.random.default_rng(20261123)
    medians = np.median(generator.normal(size=(4000, 101)), axis=1)
    errors = [standard_error(sample) for sample in generator.normal(size=(200, 101))]
    assert np.mean(errors) == pytest.approx(np.std(medians), rel=0.05)


def test_batch_labels_fit_an_answer_and_stay_apart() -> None:
    labels = batch_labels(["B3", "lot 4", "lot/4", "all", "Série:1", ""])
    assert labels == {"B3": "B3", "lot 4": "lot_4", "lot/4": "lot_4_2", "all": "all_2", "Série:1": "S_rie_1", "": "_"}


@pytest.mark.parametrize(
    ("suspicion", "message"),
    [
        pytest.param(
            Suspicion("hscrp", "B3", "B3", 1.0, "mg/dL", 62, 241),
            "hscrp: values of batch B3 lie about 10 times higher than the site's other batches (n 62 v 241): "
            "as if mg/L stood under a mg/dL header",
            id="mg/L under mg/dL",
        ),
        pytest.param(
            Suspicion("hscrp", "B3", "B3", -1.0, "mg/L", 62, 241),
            "hscrp: values of batch B3 lie about 10 times lower than the site's other batches (n 62 v 241): "
            "as if mg/dL stood under a mg/L header",
            id="mg/dL under mg/L",
        ),
        pytest.param(
            Suspicion("hscrp", None, "all", 3.0, "mg/L", 40, None),
            "hscrp: the site's values lie about 1,000 times higher than the registry's reference population (n 40): "
            "as if ng/mL stood under a mg/L header",
            id="a whole site",
        ),
        pytest.param(
            Suspicion("esr", "B1", "B1", -1.0, "mm/h", 20, 40),
            "esr: values of batch B1 lie about 10 times lower than the site's other batches (n 20 v 40): "
            "no other unit of it explains that",
            id="no unit explains it",
        ),
    ],
)
def test_messages_say_how_far_against_what_and_why(suspicion: Suspicion, message: str) -> None:
    assert describe(suspicion, unit_factors(shared_registry(), suspicion.analyte, {})) == message


def findings(answers: list[Answer]) -> pl.DataFrame:
    suspicion = Suspicion("hscrp", "B3", "B3", 1.0, "mg/dL", 62, 241)
    study, registry = study_with(answers), shared_registry()
    return findings_table(study, site_with(), [suspicion], registry, {}, "harmonise_site")


def test_an_unanswered_finding_is_an_error() -> None:
    row = findings([]).row(0, named=True)
    assert (row["finding"], row["rule_id"]) == ("unit:porto:hscrp:B3", "value.unit_suspect")
    assert (row["severity"], row["answered"], row["action"], row["n"]) == ("error", False, None, 62)


def test_an_answer_is_kept_with_its_reason() -> None:
    row = findings([Answer("unit:porto:hscrp:B3", "confirm", "checked with the laboratory")]).row(0, named=True)
    assert (row["answered"], row["action"], row["reason"]) == (True, "confirm", "checked with the laboratory")


def test_an_answer_to_what_does_not_arise_is_a_warning() -> None:
    rows = findings(
        [
            Answer("unit:porto:hscrp:B9", "exclude", "was a slip"),
            Answer("unit:porto_norte:hscrp:B9", "exclude", "another site's"),
            Answer("visits:porto:week_4", "confirm", "another kind"),
        ]
    )
    assert rows["finding"].to_list() == ["unit:porto:hscrp:B3", "unanswerable:unit:porto:hscrp:B9"]
    assert rows["severity"].to_list() == ["error", "warning"]


def test_a_site_without_suspicion_has_no_finding() -> None:
    assert findings_table(study_with(), site_with(), [], shared_registry(), {}, "harmonise_site").height == 0
