"""One site as a whole: each value leaves for one reason, everything adds up, and the tables meet their contracts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest

from ember.harmonise.harmonise import Harmonised, Standard, harmonise_site
from ember.registry.model import Answer
from ember.tables.contract import contract
from ember.tables.store import BrokenContractError, check, conform, empty_table
from ember.validate.accounting import Account, account_table, chain_faults
from tests.unit.harmonise.harmonise_rows import (
    answers_to,
    item_rows,
    measurement_rows,
    shared_registry,
    site_with,
    study_with,
)

N_OTHERS = 5  # two participants with age and sex known, and a date


def participants() -> pl.DataFrame:
    rows = [
        {
            "site_id": "porto",
            "participant_id": f"p{n}",
            "age": 40.0,
            "sex": "female",
            "source_file": "f",
            "row_number": n,
        }
        for n in (2, 3)
    ]
    return conform(pl.DataFrame(rows), "participants")


def harmonised(
    measurements: Sequence[dict[str, Any]] = (),
    items: Sequence[dict[str, Any]] = (),
    answers: Sequence[Answer] = (),
    n_others: int = N_OTHERS,
    molar: dict[str, float] | None = None,
) -> Harmonised:
    standard = Standard(
        participants=participants(),
        visits=empty_table("visits"),
        measurements=measurement_rows(measurements),
        items=item_rows(items),
        treatments=empty_table("treatments"),
        n_values=len(measurements) + len(items) + n_others,
    )
    return harmonise_site(study_with(answers), site_with(molar), shared_registry(), standard)


def batch(label: str, n: int, factor: float = 1.0, **row: Any) -> list[dict[str, Any]]:
    """Return `n` hsCRP results between 0.4 and 8 mg/L, times a factor."""
    values = [0.4 * 20 ** (k / (n - 1)) * factor for k in range(n)]
    return [{"batch": label, "number": value, "unit_reported": "mg/L", **row} for value in values]


SLIPPED = [*batch("B1", 40), *batch("B2", 40), *batch("B3", 30, 10.0)]
B3 = "unit:porto:hscrp:B3"


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        pytest.param({"unit_reported": "mg"}, "value.unit_unknown", id="unknown unit"),
        pytest.param({"unit_reported": "nmol/L"}, "value.factor_undeclared", id="molar without a factor"),
        pytest.param({"operator": "<", "number": 0.1}, "value.limit_missing", id="no limit"),
        pytest.param({"number": 501.0}, "value.outside_hard_limits", id="impossible"),
        pytest.param({"operator": "<", "number": 1.0, "unit_reported": "?"}, "value.unit_unknown", id="unit first"),
    ],
)
def test_a_value_that_leaves_has_one_reason_and_its_place(row: dict[str, Any], rule: str) -> None:
    result = harmonised([{"number": 2.0}, row])
    assert result.measurements.height == 1
    assert result.ledger.select("rule_id", "row_number", "column", "action").rows() == [(rule, 3, "PCR", "quarantined")]


def test_a_value_that_stays_may_be_flagged() -> None:
    result = harmonised([{"number": 20.0}, {"operator": "<", "number": 0.2, "limit_reported": 0.2}])
    assert result.measurements["flags"].to_list() == ["value.acute", "value.below_limit"]
    assert result.ledger["rule_id"].to_list() == ["value.acute", "value.below_limit"]
    assert set(result.ledger["action"]) == {"flagged"}


def test_an_unanswered_finding_changes_no_value() -> None:
    result = harmonised(SLIPPED)
    assert result.findings["finding"].to_list() == [B3]
    assert not result.findings["answered"].item()
    assert result.measurements.height == len(SLIPPED)


def test_exclude_takes_the_batch_out_with_the_reason_of_the_study() -> None:
    result = harmonised(SLIPPED, answers=[Answer(B3, "exclude", "the laboratory confirmed a slip")])
    assert set(result.measurements["batch"]) == {"B1", "B2"}
    left = result.ledger.filter(pl.col("action") == "excluded")
    assert left.height == 30
    assert set(left["rule_id"]) == {"value.finding_excluded"}
    assert set(left["reason"]) == {"the laboratory confirmed a slip"}
    assert set(left["message"]) == {f"answer to {B3}"}
    assert result.findings["answered"].item()


def test_confirm_keeps_the_batch() -> None:
    result = harmonised(SLIPPED, answers=[Answer(B3, "confirm", "the ward of the very ill")])
    assert result.measurements.height == len(SLIPPED)
    assert result.findings.select("answered", "action").row(0) == (True, "confirm")


def test_an_answer_to_what_does_not_arise_excludes_nothing() -> None:
    result = harmonised(batch("B1", 40), answers=[Answer("unit:porto:hscrp:B1", "exclude", "a slip, we thought")])
    assert result.measurements.height == 40
    assert result.findings["severity"].to_list() == ["warning"]


def test_an_impossible_value_of_an_excluded_batch_leaves_as_excluded() -> None:
    rows = [*SLIPPED, {"batch": "B3", "number": 5000.0}]
    excluded = harmonised(rows, answers=[Answer(B3, "exclude", "the laboratory confirmed a slip")])
    assert excluded.ledger.filter(pl.col("rule_id") == "value.outside_hard_limits").height == 0
    assert excluded.ledger.filter(pl.col("rule_id") == "value.finding_excluded").height == 31
    confirmed = harmonised(rows, answers=[Answer(B3, "confirm", "the ward of the very ill")])
    assert confirmed.ledger.filter(pl.col("rule_id") == "value.outside_hard_limits").height == 1


def test_excluding_a_whole_site_takes_the_analyte_alone() -> None:
    il6 = [{"analyte": "il6", "unit_reported": "pg/mL", "number": 2.0, "column": "IL6"}]
    answer = Answer("unit:porto:hscrp:all", "exclude", "all under the wrong header")
    result = harmonised([*batch("B1", 40, 10.0), *il6], answers=[answer])
    assert result.measurements["analyte"].to_list() == ["il6"]


def test_measurements_follow_the_contract_in_its_order() -> None:
    rows = [
        {"row_number": 7, "analyte": "tnf", "unit_reported": "pg/mL", "column": "TNF", "source_file": "b.csv"},
        {"row_number": 7, "analyte": "il6", "unit_reported": "pg/mL", "column": "IL6_V1", "source_file": "b.csv"},
        {"row_number": 3, "analyte": "il6", "unit_reported": "pg/mL", "column": "IL6_V0", "source_file": "b.csv"},
        {"row_number": 9, "source_file": "a.csv", "assay_id": "roche_crphs"},
    ]
    table = harmonised(rows).measurements
    check(table, contract("measurements"))
    assert table["row_id"].to_list() == [1, 2, 3, 4]
    # Files in the order of the standard table, then rows, then analytes.
    order = table.select("source_file", "row_number", "analyte").rows()
    assert order == [("b.csv", 3, "il6"), ("b.csv", 7, "il6"), ("b.csv", 7, "tnf"), ("a.csv", 9, "hscrp")]
    assert table["assay_class"].to_list() == [None, None, None, "high_sensitivity"]
    assert table["fasting"].is_null().all()


def test_row_ids_number_the_rows_that_stay() -> None:
    result = harmonised([{"number": 1.0}, {"number": 900.0}, {"number": 2.0}])
    assert result.measurements.select("row_id", "row_number").rows() == [(1, 2), (2, 4)]


def test_lineage_stays_with_the_value() -> None:
    row = harmonised(
        [{"value_reported": "28,572", "number": 28.572, "unit_reported": "nmol/L"}], molar={"hscrp": 9.524}
    ).measurements.row(0, named=True)
    assert (row["value_reported"], row["unit_reported"], row["unit"]) == ("28,572", "nmol/L", "mg/L")
    assert row["conversion_id"] == "hscrp:nmol/L:mg/L:nmol_per_mg=9.524"


def test_every_value_is_accounted_for() -> None:
    measurements = [
        {"number": 2.0},
        {"number": 20.0},
        {"number": 900.0},
        {"unit_reported": "?"},
        {"operator": "<", "number": 1.0},
        {"operator": "<", "number": 0.2, "limit_reported": 0.2},
    ]
    phq9 = dict.fromkeys(range(1, 10), 1)
    items = [
        *answers_to("phq9", phq9 | {0: 9}),
        *answers_to("phq9", phq9 | {1: 7, 2: 5}, participant_id="p1", row_number=3),
        *answers_to("hamd17", {0: 60}, participant_id="p1", row_number=4),
    ]
    value, participant = harmonised(measurements, items).accounts
    assert (value.n_in, value.n_created) == (6 + 20 + 5, 1)
    assert value.n_out == 3 + 1 + 5
    assert value.n_collapsed == 10
    assert value.n_quarantined == 3 + 1 + 1
    assert value.n_excluded == 1 + 7
    assert (participant.unit, participant.n_in, participant.n_out) == ("participant", 2, 2)


def test_the_accounts_continue_those_of_the_stage_before() -> None:
    before = Account("porto", "standardise_site", "value", n_in=9, n_out=7, n_excluded=2)
    joined = account_table([before, *harmonised([{}, {}]).accounts])
    assert chain_faults(joined, ["standardise_site", "harmonise_site"]) == []


def test_fewer_values_than_the_tables_show_is_a_defect() -> None:
    assert harmonised([{}], n_others=4).accounts[0].n_out == 5
    with pytest.raises(BrokenContractError, match="counted 3 values of participants"):
        harmonised([{}], n_others=3)


def test_a_site_without_measurements_or_items_passes() -> None:
    result = harmonised(n_others=4)
    assert (result.measurements.height, result.scores.height, result.ledger.height, result.findings.height) == (0,) * 4
    for name in ("measurements", "scores", "ledger", "findings"):
        check(getattr(result, name), contract(name))


def test_the_same_tables_give_the_same_result() -> None:
    one, two = harmonised(SLIPPED), harmonised(SLIPPED)
    assert one.measurements.equals(two.measurements)
    assert one.ledger.equals(two.ledger)


def test_the_pseudonym_decides_no_order() -> None:
    rows = [{"participant_id": name, "number": float(n + 1)} for n, name in enumerate("zbyc")]
    renamed = [{**row, "participant_id": f"x{9 - n}"} for n, row in enumerate(rows)]
    dropped = ["participant_id"]
    assert harmonised(rows).measurements.drop(dropped).equals(harmonised(renamed).measurements.drop(dropped))


@pytest.mark.parametrize(
    ("finding", "action", "n_left"),
    [
        pytest.param("unit:porto:hscrp:sites", "exclude", 0, id="excluded"),
        pytest.param("unit:porto:hscrp:sites", "confirm", 80, id="confirmed"),
        pytest.param("unit:porto:il6:sites", "exclude", 80, id="another analyte"),
        pytest.param("unit:lima:hscrp:sites", "exclude", 80, id="another site"),
    ],
)
def test_an_answer_to_the_comparison_of_sites_takes_the_values_out(finding, action, n_left):
    result = harmonised([*batch("B1", 40), *batch("B2", 40)], answers=[Answer(finding, action, "a wrong header")])
    assert result.measurements.height == n_left
    assert (result.ledger["rule_id"] == "value.finding_excluded").sum() == 80 - n_left
