"""The parts of the unit evidence: counts, labels, factors, further evidence, messages, sites among each other."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from ember.harmonise.evidence_counts import add_counts, count_values, histogram, quantile, spread, with_decimals
from ember.harmonise.evidence_demands import read_demands
from ember.harmonise.evidence_findings import describe, findings_table
from ember.harmonise.evidence_further import further_odds, total_of
from ember.harmonise.evidence_groups import grade_shift
from ember.harmonise.evidence_populations import distribution, populations_of
from ember.harmonise.evidence_sites import summarise_groups, suspect_sites, unit_findings
from ember.harmonise.evidence_suspicion import Suspicion, group_labels, possible_exponents
from ember.harmonise.units import unit_factors
from ember.registry.model import Answer
from tests.unit.harmonise.harmonise_rows import shared_registry, site_with, study_with
from tests.unit.harmonise.test_evidence import values

DEMANDS = read_demands(shared_registry())


def test_counts_of_shares_add_up_to_those_of_the_site() -> None:
    rows = pl.concat([values(80, batch="B1"), values(60, 1.0, batch=None, censored=0.2), values(9, analyte="il6")])
    parts = [count_values(rows[start : start + 25]) for start in range(0, rows.height, 25)]
    assert_frame_equal(add_counts(parts), count_values(rows), check_row_order=False)
    assert count_values(rows)["n"].sum() == rows.height


def test_counts_do_not_depend_on_the_order_of_rows() -> None:
    rows = pl.concat([values(80, batch="B1"), values(60, 1.0, batch="B2")])
    assert_frame_equal(count_values(rows.reverse()), count_values(rows), check_row_order=False)


def test_counts_of_nothing_are_empty() -> None:
    assert count_values(values(5).clear()).height == 0


def test_quantiles_on_the_grid_agree_with_those_of_the_values() -> None:
    logarithms = np.random.default_rng(20261123).normal(0.3, 0.6, 2000)
    rows = values(2000).with_columns(pl.Series("value", 10**logarithms))
    found = histogram(count_values(rows))[None, :]
    assert quantile(found, 0.5)[0] == pytest.approx(np.median(logarithms), abs=0.01)
    assert spread(found)[0] == pytest.approx(0.6, rel=0.06)


@pytest.mark.parametrize(
    ("text", "decimals"),
    [("3", 0), ("3.10", 2), ("0,5", 1), ("<0.20", 2), (" 1.5 ", 1), ("1e-3", 0)],
    ids=["whole", "two", "comma", "limit", "space", "exponent"],
)
def test_decimals_are_those_of_the_text(text: str, decimals: int) -> None:
    assert with_decimals(pl.DataFrame({"value_reported": [text]}))["decimals"].to_list() == [decimals]


def test_labels_fit_an_answer_and_stay_apart() -> None:
    labels = group_labels("batch", ["B3", "lot 4", "lot/4", "all", "Série:1", ""], {"all"})
    assert labels == {"B3": "B3", "lot 4": "lot_4", "lot/4": "lot_4_2", "all": "all_2", "Série:1": "S_rie_1", "": "_"}
    assert group_labels("period", ["2024-03"], set()) == {"2024-03": "period_2024-03"}


def test_exponents_are_the_ratios_of_the_units_and_the_usual_slips() -> None:
    exponents = possible_exponents(unit_factors(shared_registry(), "fibrinogen", {}), 0.3)
    assert round(math.log10(0.34), 9) in exponents
    assert {-6.0, -3.0, -1.0, 1.0, 3.0, 6.0} <= set(exponents)
    assert 0.0 not in exponents
    assert possible_exponents({"1": Fraction(1), "2": Fraction(2)}, 0.31) == [-6.0, -3.0, -1.0, 1.0, 3.0, 6.0]


@pytest.mark.parametrize(
    ("shift", "error", "expected"),
    [
        pytest.param(1.0, 0.05, (1.0, "error"), id="on the factor"),
        pytest.param(0.5, 0.01, (1.0, "warning"), id="half way, surely away from none"),
        pytest.param(0.49, 0.01, None, id="nearer to none"),
        pytest.param(1.0, 0.3, (1.0, "warning"), id="not four standard errors"),
        pytest.param(1.0, 0.5, None, id="within its error"),
        pytest.param(1.6, 0.01, None, id="no factor explains it"),
        pytest.param(-3.0, 0.05, (-3.0, "error"), id="a thousand times lower"),
    ],
)
def test_grades_of_a_shift(shift: float, error: float, expected: tuple[float, str] | None) -> None:
    assert grade_shift(shift, error, 0.1, [-3.0, -1.0, 1.0, 3.0], DEMANDS) == (
        expected if shift != 0.5 else grade_shift(0.5, 0.01, 0.1, [1.0], DEMANDS)
    )
    assert (grade_shift(0.5, 0.01, 0.1, [1.0], DEMANDS) or (0, ""))[1] in ("", "warning")


def test_populations_hold_the_share_above_the_cut_that_they_say() -> None:
    """The 11 shifted and 11 reweighted populations of hsCRP have 10 to 60 % above 3 mg/L."""
    populations = populations_of(shared_registry(), "hscrp", DEMANDS)
    assert populations is not None and len(populations.functions) == 22
    assert (np.diff(populations.functions, axis=1) >= 0).all()
    row = shared_registry().row("unit_populations", "hscrp")
    assert 1 - distribution(row["components"], np.array(math.log10(3))) == pytest.approx(0.3723, abs=0.005)


def test_no_reference_no_populations() -> None:
    assert populations_of(shared_registry(), "ferritin", DEMANDS) is None


def further(rows: pl.DataFrame, exponent: float) -> dict[str, float]:
    registry = shared_registry()
    factors = unit_factors(registry, "hscrp", {})
    return further_odds(count_values(rows), "hscrp", exponent, registry, factors, DEMANDS)


def limited(limit: float) -> pl.DataFrame:
    low = pl.int_range(pl.len()) < 20
    return values(100).with_columns(
        pl.when(low).then(limit).otherwise("value").alias("value"),
        pl.when(low).then(pl.lit("left")).otherwise(pl.lit("none")).alias("censoring"),
        pl.when(low).then(limit).alias("limit_reported"),
    )


def test_a_limit_ten_times_above_every_known_one_speaks_for_a_factor_of_ten() -> None:
    assert further(limited(1.5), 1.0)["limits"] > 2
    assert further(limited(0.15), 1.0)["limits"] < -2
    assert "limits" not in further(limited(1.5).drop("limit_reported"), 1.0)


@pytest.mark.parametrize(
    ("decimals", "exponent", "sign"),
    [
        pytest.param(0, 1.0, 1, id="whole mg/L are tenths of mg/dL"),
        pytest.param(2, 1.0, -1, id="hundredths are usual"),
        pytest.param(3, -1.0, 1, id="thousandths of mg/L are hundredths of mg/dL"),
        pytest.param(1, -1.0, -1, id="tenths are usual"),
    ],
)
def test_decimals_speak_for_the_unit_in_which_they_are_usual(decimals: int, exponent: float, sign: int) -> None:
    rows = values(100).with_columns(pl.lit(decimals, dtype=pl.Int8).alias("decimals"))
    assert further(rows, exponent)["decimals"] * sign > 1


def test_neutrophils_that_do_not_rise_speak_for_a_factor() -> None:
    calm = values(100, analyte="neutrophils", unit="10*9/L", spread=0.39, centre=1.383)
    raised = values(100, analyte="neutrophils", unit="10*9/L", spread=0.39, centre=1.383 + 0.0893 * 2.3)
    assert further(pl.concat([values(100, 1.0), calm]), 1.0)["other analytes"] > 1
    assert further(pl.concat([values(100, 1.0), raised]), 1.0)["other analytes"] < -1


def test_further_evidence_is_bounded() -> None:
    assert total_of({"limits": 9.0, "decimals": 9.0}, DEMANDS) == DEMANDS.further_most
    assert total_of({"limits": -9.0}, DEMANDS) == -DEMANDS.further_most


def suspicion(**changes: object) -> Suspicion:
    known: dict[str, object] = {
        "analyte": "hscrp", "group": "batch", "value": "B3", "label": "B3", "exponent": 1.0,
        "declared_unit": "mg/dL", "n": 62, "n_others": 241,
    }  # fmt: skip
    return Suspicion(**{**known, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param(
            {},
            "hscrp: values of batch B3 lie about 10 times higher than the site's other batches (n 62 v 241): "
            "as if mg/L stood under a mg/dL header",
            id="a batch",
        ),
        pytest.param(
            {"group": "period", "value": "2024-03", "label": "period_2024-03", "exponent": -1.0,
             "declared_unit": "mg/L"},
            "hscrp: values of month 2024-03 lie about 10 times lower than the site's other values (n 62 v 241): "
            "as if mg/dL stood under a mg/L header",
            id="a month",
        ),
        pytest.param(
            {"group": None, "value": None, "label": "all", "exponent": 3.0, "declared_unit": "mg/L", "n_others": None,
             "against": "reference", "severity": "warning"},
            "hscrp: the site's values lie about 1,000 times higher than the registry's reference population (n 62): "
            "as if ng/mL stood under a mg/L header; in doubt: people who differ that much would look the same",
            id="a whole site in doubt",
        ),
        pytest.param(
            {"analyte": "esr", "declared_unit": "mm/h", "exponent": -1.0},
            "esr: values of batch B3 lie about 10 times lower than the site's other batches (n 62 v 241): "
            "no other unit of it explains that",
            id="no unit explains it",
        ),
    ],
)  # fmt: skip
def test_messages_say_how_far_against_what_and_why(changes: dict[str, object], message: str) -> None:
    found = suspicion(**changes)
    assert describe(found, unit_factors(shared_registry(), found.analyte, {})) == message


def findings(*answers: Answer, severity: str = "error") -> pl.DataFrame:
    found = [suspicion(severity=severity)]
    return findings_table(study_with(list(answers)), site_with(), found, shared_registry(), {}, "harmonise_site")


def test_an_unanswered_finding_is_an_error() -> None:
    row = findings().row(0, named=True)
    assert (row["finding"], row["rule_id"]) == ("unit:porto:hscrp:B3", "value.unit_suspect")
    assert (row["severity"], row["answered"], row["action"], row["n"]) == ("error", False, None, 62)


def test_a_doubt_is_a_warning_with_a_rule_of_its_own() -> None:
    row = findings(severity="warning").row(0, named=True)
    assert (row["rule_id"], row["severity"]) == ("value.unit_doubt", "warning")


def test_an_answer_is_kept_with_its_reason() -> None:
    row = findings(Answer("unit:porto:hscrp:B3", "confirm", "checked with the laboratory")).row(0, named=True)
    assert (row["answered"], row["action"], row["reason"]) == (True, "confirm", "checked with the laboratory")


def test_an_answer_to_what_does_not_arise_is_a_warning() -> None:
    rows = findings(
        Answer("unit:porto:hscrp:B9", "exclude", "was a slip"),
        Answer("unit:porto:hscrp:sites", "confirm", "judged where all sites are seen"),
        Answer("unit:porto_norte:hscrp:B9", "exclude", "another site's"),
        Answer("visits:porto:week_4", "confirm", "another kind"),
    )
    assert rows["finding"].to_list() == ["unit:porto:hscrp:B3", "unanswerable:unit:porto:hscrp:B9"]
    assert rows["severity"].to_list() == ["error", "warning"]


def test_a_site_without_suspicion_has_no_finding() -> None:
    assert findings_table(study_with(), site_with(), [], shared_registry(), {}, "harmonise_site").height == 0


def sites(**shifts: float) -> pl.DataFrame:
    """Return the summaries of sites that measured ferritin, which has no reference."""
    parts = []
    for site, shift in shifts.items():
        counts = count_values(values(100, shift, batch="B1", analyte="ferritin", unit="ng/mL", spread=0.8, centre=4.4))
        parts.append(summarise_groups(counts, [], shared_registry(), site))
    return pl.concat(parts)


def among(summaries: pl.DataFrame) -> list[tuple[str, float, str]]:
    rows = summaries.filter(pl.col("group") == "site")
    return [(site, one.exponent, one.severity) for site, one in suspect_sites(rows, shared_registry(), DEMANDS)]


@pytest.mark.parametrize(
    ("shifts", "expected"),
    [
        pytest.param({"a": 0.0, "b": 0.1, "c": -0.2}, [], id="sites differ a little"),
        pytest.param({"a": 0.0, "b": 0.1, "c": 3.0}, [("c", 3.0, "error")], id="one a thousand times higher"),
        pytest.param({"a": 0.0, "b": 0.0, "c": 1.0}, [("c", 1.0, "warning")], id="ten times may be other people"),
        pytest.param({"a": 0.0, "b": 3.0}, [("a", -3.0, "warning"), ("b", 3.0, "warning")], id="two cannot say which"),
        pytest.param({"a": 3.0}, [], id="one site has no others"),
    ],
)
def test_sites_without_a_reference_are_held_against_each_other(
    shifts: dict[str, float], expected: list[tuple[str, float, str]]
) -> None:
    assert among(sites(**shifts)) == expected


def test_a_site_that_names_itself_is_left_out() -> None:
    summaries = sites(a=0.0, b=0.1, c=3.0)
    named = summaries.with_columns((pl.col("site") == "c").alias("suspected"))
    assert among(named) == []


def test_findings_among_sites_take_answers() -> None:
    summaries = sites(porto=3.0, lund=0.0, graz=0.1)
    study = study_with(
        [
            Answer("unit:porto:ferritin:sites", "confirm", "haemochromatosis clinic"),
            Answer("unit:lund:ferritin:sites", "confirm", "does not arise"),
            Answer("unit:lund:ferritin:B1", "confirm", "is not judged here"),
        ]
    )
    rows = unit_findings(study, shared_registry(), summaries, "compare_sites")
    assert rows["finding"].to_list() == ["unit:porto:ferritin:sites", "unanswerable:unit:lund:ferritin:sites"]
    assert rows["answered"].to_list() == [True, False]
