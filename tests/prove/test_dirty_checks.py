"""The checks of dirty extracts see what they are there for: each fault that is put in by hand is found."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import polars as pl
import pytest

from tests.prove.dirty_checks import check
from tests.prove.dirty_extracts import Drawn, draw
from tests.prove.dirty_files import LINE_BREAK
from tests.prove.dirty_run import Outcome, build, documents_of, run


@dataclass
class Ran:
    """One study that ran, with its site that has most to lose."""

    drawn: Drawn
    outcome: Outcome
    site: str

    def faults(self, **changes: pl.DataFrame) -> list[str]:
        """Return what is found after tables of the standard stage were changed by hand."""
        standard = {
            **self.outcome.standard,
            self.site: replace(self.outcome.standard[self.site], **cast(dict[str, Any], changes)),
        }
        return self.judged(replace(self.outcome, standard=standard))

    def judged(self, outcome: Outcome) -> list[str]:
        return check(self.drawn.plan, self.drawn.rows, outcome, bool(self.drawn.withdrawn) or self.drawn.plan.consent)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    for seed in range(200):
        folder = tmp_path_factory.mktemp("dirty")
        drawn = draw(seed, folder)
        study, _ = build(documents_of(drawn.plan, drawn.answers), folder, check=False)
        if drawn.fault or study is None or drawn.plan.consent:
            continue
        outcome = run(study, folder, drawn.batch, drawn.block, drawn.withdrawn)
        for site, standard in outcome.standard.items():
            values = standard.ledger.filter((pl.col("unit") == "value") & (pl.col("rule_id") == "value.not_numeric"))
            told = standard.participants["age"].drop_nulls().len()
            left = standard.ledger.filter(pl.col("unit") == "row").height
            if min(standard.measurements.height, standard.items.height, values.height, told, left) > 1:
                return Ran(drawn, outcome, site)
    raise AssertionError("no study of these seeds has everything")


def test_nothing_is_found_where_all_is_well(ran: Ran) -> None:
    assert ran.faults() == []


def test_a_file_of_text_has_each_row_on_its_line(tmp_path: Path) -> None:
    seen = 0
    for seed in range(12):
        drawn = draw(seed, tmp_path / str(seed))
        for name, source in drawn.plan.sources.items():
            if source.format != "csv" or "compression" in source.entry or drawn.fault:
                continue
            text = (tmp_path / str(seed) / "extracts" / source.file).read_bytes().decode(source.entry["encoding"])
            lines = LINE_BREAK.split(text)
            for row in drawn.rows[name]:
                first = re.split(LINE_BREAK, row.text(source.header[0]))[0].replace('"', '""')
                start = lines[row.line - 1].removeprefix('"').replace('""', '"')
                if row.shape == "data" and not drawn.plan.tables[0].mapping.get("corrections"):
                    assert start.startswith(first.replace('""', '"'))
                    seen += 1
    assert seen > 100


def first(frame: pl.DataFrame, condition: pl.Expr) -> pl.Expr:
    """Return an expression that is true for the first row that meets the condition."""
    place = int(frame.with_row_index("at").filter(condition)["at"][0])
    return pl.int_range(pl.len()).eq(place)


REFUSED = (pl.col("unit") == "value") & (pl.col("action") == "quarantined")


def without(table: str, condition: pl.Expr) -> Callable[[Ran], list[str]]:
    def faults(ran: Ran) -> list[str]:
        frame: pl.DataFrame = getattr(ran.outcome.standard[ran.site], table)
        return ran.faults(**{table: frame.filter(~first(frame, condition))})

    return faults


def changed(table: str, condition: pl.Expr, change: pl.Expr) -> Callable[[Ran], list[str]]:
    def faults(ran: Ran) -> list[str]:
        frame: pl.DataFrame = getattr(ran.outcome.standard[ran.site], table)
        name = change.meta.output_name()
        new = pl.when(first(frame, condition)).then(change).otherwise(pl.col(name)).alias(name)
        return ran.faults(**{table: frame.with_columns(new)})

    return faults


def doubled(ran: Ran) -> list[str]:
    ledger = ran.outcome.standard[ran.site].ledger
    return ran.faults(ledger=pl.concat([ledger, ledger.filter(first(ledger, REFUSED))]))


def lost_on_the_way(ran: Ran) -> list[str]:
    result = ran.outcome.harmonised[ran.site]
    less = replace(result, measurements=result.measurements.slice(1))
    return ran.judged(replace(ran.outcome, harmonised={**ran.outcome.harmonised, ran.site: less}))


def lost_score(ran: Ran) -> list[str]:
    result = ran.outcome.harmonised[ran.site]
    less = replace(result, scores=result.scores.clear(), ledger=result.ledger.clear())
    return ran.judged(replace(ran.outcome, harmonised={**ran.outcome.harmonised, ran.site: less}))


ANY = pl.lit(True)
EVERY = [
    pytest.param(without("measurements", ANY), id="a result is lost"),
    pytest.param(without("items", ANY), id="an answer is lost"),
    pytest.param(without("ledger", REFUSED), id="a refused cell is not listed"),
    pytest.param(without("ledger", pl.col("unit") == "row"), id="a refused row is not listed"),
    pytest.param(changed("measurements", ANY, pl.col("number") * 10), id="a number changes"),
    pytest.param(changed("measurements", ANY, pl.col("row_number") + 1), id="a result stands on another row"),
    pytest.param(changed("items", ANY, pl.col("value") + 1), id="an answer changes"),
    pytest.param(changed("participants", pl.col("age").is_not_null(), pl.col("age") + 1), id="an age changes"),
    pytest.param(changed("ledger", REFUSED, pl.col("row_number") + 1), id="the ledger names another row"),
    pytest.param(
        changed("ledger", pl.col("rule_id") == "value.not_numeric", pl.lit("value.missing_code").alias("rule_id")),
        id="the ledger gives another reason",
    ),
    pytest.param(doubled, id="a cell is listed twice"),
    pytest.param(lost_on_the_way, id="a result is lost between the stages"),
    pytest.param(lost_score, id="answers make no score"),
]


@pytest.mark.parametrize("faults", EVERY)
def test_a_fault_that_is_put_in_is_found(ran: Ran, faults: Callable[[Ran], list[str]]) -> None:
    assert faults(ran)
