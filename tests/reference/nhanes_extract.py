"""Join the public NHANES 2015-16 files that the survey witness uses: `python nhanes_extract.py OUT.csv`.

All examined people stay in (R and EMBER both need the whole design); the table itself is not kept in the project.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import polars as pl
import pyreadstat

PROJECT = Path(__file__).resolve().parents[2]
ITEMS = [f"DPQ0{item}0" for item in range(1, 10)]


def read(folder: Path, name: str, columns: list[str]) -> pl.DataFrame:
    """Read columns of one transport file."""
    frame, _ = pyreadstat.read_xport(str(folder / f"{name}.XPT"), usecols=["SEQN", *columns], output_format="polars")
    return frame.with_columns(pl.all().cast(pl.Float64).fill_nan(None))


def extract(data: Path) -> pl.DataFrame:
    """Return design, age, sex, body mass index, hsCRP (mg/L), PHQ-9 sum (all nine items valid) and PHQ-9 >= 10."""
    folder = data / "nhanes"
    people = read(folder, "DEMO_I", ["SDMVSTRA", "SDMVPSU", "WTMEC2YR", "RIDAGEYR", "RIAGENDR"])
    for name, columns in (("BMX_I", ["BMXBMI"]), ("HSCRP_I", ["LBXHSCRP"]), ("DPQ_I", ITEMS)):
        people = people.join(read(folder, name, columns), on="SEQN", how="left", maintain_order="left")
    # Codes 7 and 9 are refusal and "don't know": no answer.
    valid = [pl.when(pl.col(item) <= 3).then(pl.col(item)) for item in ITEMS]
    total = pl.sum_horizontal(valid, ignore_nulls=False)
    return people.select(
        stratum="SDMVSTRA", psu="SDMVPSU", weight="WTMEC2YR", age="RIDAGEYR", female=pl.col("RIAGENDR") - 1,
        bmi="BMXBMI", crp="LBXHSCRP", phq9=total, case=(total >= 10).cast(pl.Float64),
    )  # fmt: skip


if __name__ == "__main__":
    source = Path(os.environ.get("EMBER_REAL_DATA", PROJECT.parent / "shared" / "data"))
    extract(source).write_csv(sys.argv[1])
