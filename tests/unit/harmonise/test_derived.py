from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from ember.errors import EmberError
from ember.harmonise.derived import NOT_DERIVED, derived_findings, with_derived
from ember.harmonise.standardise_rows import RawRows
from ember.registry.model import DerivedColumn, TableMap
from ember.validate.ledger import rules


def table(missing: tuple[str, ...] = (), **formulas: str) -> TableMap:
    derived = {name: DerivedColumn(formula) for name, formula in formulas.items()}
    return TableMap("clinic", "id", missing=missing, derived=derived)


def raw(metadata: dict[str, Any] | None = None, **columns: list[str]) -> RawRows:
    n = len(next(iter(columns.values())))
    frame = pl.DataFrame({"_row": list(range(2, 2 + n)), "_participant": ["p"] * n, **columns})
    return RawRows(frame, metadata or {})


def derived(rows: RawRows, mapping: TableMap, column: str, decimal: str = ".", **more: Any) -> list[str]:
    return with_derived(rows, mapping, decimal, **more)[0].frame[column].to_list()


def test_results_are_written_in_the_declared_mark_and_later_columns_use_earlier_ones() -> None:
    rows = raw(weight=["80", " 70,5 "], height=["200", "188"])
    made, failed = with_derived(rows, table(bmi="weight / (height / 100) ^ 2", rounded="round(bmi, 1)"), ",")
    assert made.frame.columns == ["_row", "_participant", "weight", "height", "bmi", "rounded"]
    assert made.frame["rounded"].to_list() == ["20", "19,9"]
    assert failed.is_empty()


def test_a_failure_affects_its_column_and_row_alone() -> None:
    rows = raw(a=["1", "x", "", "-9", "0"])
    made, failed = with_derived(rows, table(("-9",), inverse="1 / a", double="2 * a", more="inverse + 1"), ".")
    assert made.frame["inverse"].to_list() == ["1", NOT_DERIVED, "", "", NOT_DERIVED]
    assert made.frame["double"].to_list() == ["2", NOT_DERIVED, "", "", "0"]
    assert made.frame["more"].to_list() == ["2", NOT_DERIVED, "", "", NOT_DERIVED]
    assert failed.rows() == [
        (3, "inverse", "value.not_derived"),
        (6, "inverse", "value.not_derived"),
        (3, "double", "value.not_derived"),
        (3, "more", "value.not_derived"),
        (6, "more", "value.not_derived"),
    ]


def test_a_formula_that_fails_everywhere_leaves_the_rows_standing() -> None:
    made, failed = with_derived(raw(a=["1", "2"]), table(never="a / 0", fine="a"), ".")
    assert made.frame["fine"].to_list() == ["1", "2"]
    assert failed.height == made.frame.height == 2


def test_missing_codes_of_table_file_and_mapping_are_missing_operands() -> None:
    metadata = {"a": {"missing_values": ["97"], "missing_ranges": [[990, 999]]}}
    rows = raw(metadata, a=["1", "-9.0", "97", "995", "8", "9"])
    assert derived(rows, table(("-9",), same="a"), "same", codes={"a": ("8",)}) == ["1", "", "", "", "", "9"]


def test_missing_codes_do_not_apply_to_what_was_derived() -> None:
    made = derived(raw(a=["4"], b=["5"]), table(("9",), total="a + b", more="total + 1"), "more")
    assert made == ["10"]


@pytest.mark.parametrize(
    ("cell", "decimal"),
    [
        pytest.param("1,5", ".", id="comma where a point is declared"),
        pytest.param("1.5", ",", id="point where a comma is declared"),
        pytest.param("<0.2", ".", id="below a limit"),
        pytest.param("1 000", ".", id="thousands"),
    ],
)
def test_operands_are_read_as_declared_or_not_at_all(cell: str, decimal: str) -> None:
    assert derived(raw(a=[cell]), table(same="a"), "same", decimal) == [NOT_DERIVED]


def test_texts_are_compared_as_they_stand() -> None:
    assert derived(raw(sex=[" f", "m", ""]), table(female='if(sex = "f", 1, 0)'), "female") == ["1", "0", ""]


@pytest.mark.parametrize(
    ("formulas", "words"),
    [
        pytest.param({"x": "x + 1"}, "uses itself", id="itself"),
        pytest.param({"x": "y + 1", "y": "x + 1"}, "'y', which is derived after it", id="cycle"),
        pytest.param({"x": "wieght * 2"}, "Nearest: weight", id="unknown column"),
        pytest.param({"x": "_participant"}, "no column '_participant'", id="reserved column"),
        pytest.param({"weight": "1"}, "already has a column", id="name taken"),
        pytest.param({"_row": "1"}, "EMBER's own", id="reserved name"),
        pytest.param({"x": "weight +"}, "character 9", id="syntax"),
    ],
)
def test_refuses(formulas: dict[str, str], words: str) -> None:
    with pytest.raises(EmberError, match="source clinic  derived") as error:
        with_derived(raw(weight=["1"]), table(**formulas), ".")
    assert words in str(error.value)


def test_every_formula_is_looked_at_even_without_the_file() -> None:
    mapping = table(a="1 +", b="q", c="d", d="mena(1)")
    found = list(derived_findings(mapping, None, lambda name: f"site.yaml:{name}"))
    assert [finding.where.split("  ")[0] for finding in found] == ["site.yaml:a", "site.yaml:c", "site.yaml:d"]


def test_the_rule_quarantines_values() -> None:
    rule = rules()["value.not_derived"]
    assert (rule.unit, rule.action) == ("value", "quarantined")


def test_no_rows() -> None:
    assert derived(RawRows(raw(a=["1"]).frame.clear()), table(x="a"), "x") == []


def test_operands_may_have_the_declared_mark_between_thousands() -> None:
    rows = raw(a=["1'234,5", "12'34", "9"])
    made = derived(rows, table(("9",), double="2 * a"), "double", ",", thousands="'")
    assert made == ["2469", NOT_DERIVED, ""]
    assert derived(rows, table(double="2 * a"), "double", ",") == [NOT_DERIVED, NOT_DERIVED, "18"]
