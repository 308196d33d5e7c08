"""Whatever table is written as text, however it is written and however it is cut into batches, it comes back whole."""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ember.errors import EmberError
from ember.extract import csv_file, text_file
from ember.extract.csv_file import read_csv, stream_csv
from ember.extract.table import whole
from ember.registry.model import Source

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252")
DELIMITERS = (",", ";", "\t", "|")
# No cell is longer than this, so that a row fits into the smallest block of the test.
CELL = st.text(alphabet='aZ09 ,;\t|"\n\ré=-.<', max_size=8)
ROW = st.tuples(
    st.sampled_from(["whole", "whole", "whole", "surplus", "short", "long", "blank"]), st.lists(CELL, max_size=9)
)


def as_written(kind: str, cells: list[str], width: int) -> list[str]:
    """Return a row of the width that its kind says."""
    filled = [*cells, *["x"] * width][:width]
    match kind:
        case "surplus":
            return [*filled, "", " "]
        case "short":
            return filled[:-1]
        case "long":
            return [*filled, "", "x"]
        case "blank":
            return [""] * width
    return filled


def write(
    path: Path, names: list[str], rows: list[list[str]], encoding: str, delimiter: str, quoting: int, end: str
) -> list[int]:
    """Write the table and return the physical line on which each row starts."""
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, quoting=quoting, lineterminator=end)  # type: ignore[arg-type]
        writer.writerow(names)
        writer.writerows(rows)
    breaks = [sum(cell.count("\n") + cell.count("\r") - cell.count("\r\n") for cell in row) for row in rows]
    return [2 + number + sum(breaks[:number]) for number in range(len(rows))]


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_what_was_written_is_what_is_read(data: st.DataObject) -> None:
    width = data.draw(st.integers(min_value=2, max_value=5))
    names = [f"c{place}" for place in range(width)]
    rows = [as_written(kind, cells, width) for kind, cells in data.draw(st.lists(ROW, min_size=1, max_size=60))]
    rows.append(["1"] * width)
    encoding, delimiter = data.draw(st.sampled_from(ENCODINGS)), data.draw(st.sampled_from(DELIMITERS))
    # The writer quotes only the characters of its own line end, so that other ends need all cells quoted.
    quoting, end = data.draw(
        st.sampled_from(
            [(csv.QUOTE_MINIMAL, "\r\n"), (csv.QUOTE_ALL, "\r\n"), (csv.QUOTE_ALL, "\n"), (csv.QUOTE_ALL, "\r")]
        )
    )
    block, batch = data.draw(st.sampled_from([256, 300, 1000])), data.draw(st.sampled_from([1, 5, 1000]))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        starts = write(path, names, rows, encoding, delimiter, quoting, end)
        declared = "utf-8" if encoding == "utf-8-sig" else encoding
        source = Source("s", path, "table.csv", "csv", encoding=declared, delimiter=delimiter)
        table = read_csv(source)
        with (
            patch.object(csv_file, "BLOCK", block),
            patch.object(csv_file, "BATCH_ROWS", batch),
            patch.object(text_file, "CHUNK", 50),
        ):
            batches = whole(stream_csv(source))
    assert batches.frame.equals(table.frame)
    assert batches.rejected.equals(table.rejected)
    kept, refused = {}, []
    for start, row in zip(starts, rows, strict=True):
        if len(row) < width or any(cell.strip() for cell in row[width:]):
            refused.append((start, "row.wrong_width"))
        elif not any(cell.strip() for cell in row):
            refused.append((start, "row.blank"))
        else:
            kept[start] = tuple(row[:width])
    assert dict(zip(table.frame["_row"], table.frame.drop("_row").rows(), strict=True)) == kept
    assert table.rejected.rows() == refused


@pytest.mark.parametrize("block", [64, 100, 1 << 20])
@settings(max_examples=60, deadline=None)
@given(content=st.text(alphabet='ab,"\n\r ', max_size=60))
def test_any_text_is_read_or_refused_and_never_loses_a_line(block: int, content: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        path.write_bytes(b"p,q\n1,2\n" + content.encode())
        with patch.object(csv_file, "BLOCK", block), patch.object(csv_file, "BATCH_ROWS", 1):
            try:
                table = read_csv(Source("s", path, "table.csv", "csv"))
            except EmberError as error:
                assert "1,2" not in str(error)
                return
    numbers = sorted([*table.frame["_row"], *table.rejected["row_number"]])
    assert len(set(numbers)) == len(numbers)
    assert numbers[0] == 2
