"""Join the public files of both NHANES cycles as the shipped study declares them, without EMBER: OUT.csv.

Below the detection limit stands limit / sqrt(2): 0.2 mg/L in 2009-10 (the heap at 0.01 mg/dL), 0.11 mg/L in 2015-16
(the comment code). The table itself is not kept in the project.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import polars as pl

from tests.reference.nhanes_extract import ITEMS, PROJECT, read


def cycle(folder: Path, letter: str, crp: pl.DataFrame) -> pl.DataFrame:
    """Return design, covariates, hsCRP in mg/L with fills, and PHQ-9 of one cycle."""
    people = read(folder, f"DEMO_{letter}", ["SDMVSTRA", "SDMVPSU", "WTMEC2YR", "RIDAGEYR", "RIAGENDR"])
    for name, columns in ((f"BMX_{letter}", ["BMXBMI"]), (f"DPQ_{letter}", ITEMS)):
        people = people.join(read(folder, name, columns), on="SEQN", how="left", maintain_order="left")
    people = people.join(crp, on="SEQN", how="left", maintain_order="left")
    valid = [pl.when(pl.col(item) <= 3).then(pl.col(item)) for item in ITEMS]
    total = pl.sum_horizontal(valid, ignore_nulls=False)
    return people.select(
        cycle=pl.lit(letter), stratum="SDMVSTRA", psu="SDMVPSU", weight="WTMEC2YR", age="RIDAGEYR",
        male=2 - pl.col("RIAGENDR"), bmi="BMXBMI", crp="crp", below="below", phq9=total,
    )  # fmt: skip


def extract(data: Path) -> pl.DataFrame:
    """Return both cycles, one row a person."""
    folder = data / "nhanes"
    early = pl.read_csv(folder / "CRP_F_rebuilt_mgdl.csv", schema_overrides={"SEQN": pl.Float64, "LBXCRP": pl.Float64})
    heap = pl.col("LBXCRP") == 0.01
    early = early.select("SEQN", crp=pl.when(heap).then(0.2 / 2**0.5).otherwise(pl.col("LBXCRP") * 10), below=heap)
    late = read(folder, "HSCRP_I", ["LBXHSCRP", "LBDHRPLC"])
    flag = pl.col("LBDHRPLC") == 1
    late = late.select("SEQN", crp=pl.when(flag).then(0.11 / 2**0.5).otherwise(pl.col("LBXHSCRP")), below=flag)
    return pl.concat([cycle(folder, "F", early), cycle(folder, "I", late)])


if __name__ == "__main__":
    source = Path(os.environ.get("EMBER_REAL_DATA", PROJECT.parent / "shared" / "data"))
    extract(source).write_csv(sys.argv[1])
