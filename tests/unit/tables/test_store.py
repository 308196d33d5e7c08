"""Tables on disk: what breaks a contract, and that the same frame gives the same bytes."""

from __future__ import annotations

import polars as pl
import pytest

from ember.tables.store import (
    BrokenContractError,
    arranged,
    conform,
    empty_table,
    polars_schema,
    read_table,
    read_tables,
    write_frame,
    write_table,
)


def accounts(**changes):
    row = {"site": "a", "stage": "s", "unit": "row", "n_in": 1, "n_created": 0, "n_out": 1, "n_collapsed": 0}
    return pl.DataFrame([{**row, "n_quarantined": 0, "n_excluded": 0, **changes}])


def test_columns_come_in_order_and_type_whatever_was_given():
    turned = accounts().select(reversed(accounts().columns)).with_columns(pl.col("n_in").cast(pl.Int16))
    assert dict(conform(turned, "accounting").schema) == polars_schema("accounting")


def test_an_absent_nullable_column_becomes_null():
    rows = {name: ["x"] for name in ("analysis", "model_id", "unit", "scale")}
    table = conform(pl.DataFrame({**rows, "kind": ["rug"], "at": [1.0]}), "curves")
    assert table["estimate"].to_list() == [None]


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        pytest.param(accounts().with_columns(more=1), "not in the contract", id="unknown_column"),
        pytest.param(accounts().drop("n_in"), "absent", id="absent_column"),
        pytest.param(accounts(site=None), "site has 1 nulls", id="null"),
    ],
)
def test_a_broken_contract(frame, said):
    with pytest.raises(BrokenContractError, match=said):
        conform(frame, "accounting")


def test_a_repeated_key_and_a_stranger_are_counted_and_not_shown():
    rows = pl.DataFrame(
        {"analysis": ["a"], "model_id": ["m"], "unit": ["u"], "scale": ["s"], "kind": ["secret"], "at": 1.0}
    )
    with pytest.raises(BrokenContractError, match="kind has 1 values outside") as broken:
        conform(rows, "curves")
    assert "secret" not in str(broken.value)


def test_a_repeated_key_is_refused():
    person = {"site_id": "a", "participant_id": "secret", "row_number": 1, "in_set": True}
    with pytest.raises(BrokenContractError, match="repeats") as broken:
        conform(pl.DataFrame([person, person]), "analysis_set")
    assert "secret" not in str(broken.value)


@pytest.mark.parametrize("suffix", [pytest.param("csv", id="csv"), pytest.param("parquet", id="parquet")])
def test_what_is_written_is_read_again(tmp_path, suffix):
    frame = pl.concat([accounts(), accounts(site=""), accounts(site='Zürich, "x"\n')])
    path = tmp_path / "new" / f"a.{suffix}"
    write_table(frame, path, "accounting")
    assert read_table(path, "accounting").equals(conform(frame, "accounting"))
    assert read_table(path, "accounting", ["unit", "site"]).columns == ["unit", "site"]


@pytest.mark.parametrize("suffix", [pytest.param("csv", id="csv"), pytest.param("parquet", id="parquet")])
def test_the_same_frame_gives_the_same_bytes(tmp_path, suffix):
    for name in ("one", "two"):
        write_table(
            pl.concat([accounts(site=f"s{number}") for number in range(50)]),
            tmp_path / f"{name}.{suffix}",
            "accounting",
        )
    assert (tmp_path / f"one.{suffix}").read_bytes() == (tmp_path / f"two.{suffix}").read_bytes()


def test_nothing_is_written_if_the_contract_is_broken(tmp_path):
    with pytest.raises(BrokenContractError):
        write_table(accounts(site=None), tmp_path / "a.csv", "accounting")
    assert list(tmp_path.iterdir()) == []


def test_an_empty_table_keeps_its_types(tmp_path):
    for suffix in ("csv", "parquet"):
        write_table(empty_table("accounting"), tmp_path / f"a.{suffix}", "accounting")
        assert read_table(tmp_path / f"a.{suffix}", "accounting").schema == empty_table("accounting").schema


def test_another_type_in_the_file_is_a_defect(tmp_path):
    write_frame(accounts().with_columns(pl.col("n_in").cast(pl.Float64)), tmp_path / "a.parquet")
    with pytest.raises(BrokenContractError, match="n_in"):
        read_table(tmp_path / "a.parquet", "accounting")


@pytest.mark.parametrize("suffix", [pytest.param("csv", id="csv"), pytest.param("parquet", id="parquet")])
def test_an_absent_column_in_the_file_is_a_defect(tmp_path, suffix):
    write_frame(accounts().drop("n_in"), tmp_path / f"a.{suffix}")
    with pytest.raises(BrokenContractError, match="absent"):
        read_table(tmp_path / f"a.{suffix}", "accounting")


def test_files_are_joined_in_the_order_given(tmp_path):
    paths = [tmp_path / f"{site}.csv" for site in "ba"]
    for path in paths:
        write_table(accounts(site=path.stem), path, "accounting")
    assert read_tables(paths, "accounting")["site"].to_list() == ["b", "a"]
    assert read_tables([], "accounting", ["site"]).columns == ["site"]
    assert read_tables([], "accounting").height == 0


def test_arranged_looks_at_columns_and_not_at_values() -> None:
    whole = empty_table("visits").clear(2)
    assert arranged(whole, "visits").equals(whole)
    with pytest.raises(BrokenContractError, match="nulls"):
        conform(whole, "visits")
    with pytest.raises(BrokenContractError, match="stranger"):
        arranged(whole.with_columns(stranger=1), "visits")
