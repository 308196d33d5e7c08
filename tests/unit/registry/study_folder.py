"""A small valid study folder on disk, and ways to break it."""

from __future__ import annotations

from pathlib import Path

from ember.registry.load import InvalidStudyError, load_study

FILES = {
    "study.yaml": """\
study: trial
label: "1"
title: A small trial
question: Does it load?
privacy: synthetic
disclosure: sacro
design: cohort
time_zero: enrolment
visits:
  baseline: {day: 0, from: -7, to: 7}
  week_4: {day: 28, from: 21, to: 35}
seed: 1
data: {folder: data}
files: files.csv
sources:
  north: {path: north.csv, format: csv}
  south: {path: south.csv, format: csv}
sites: [north, south]
endotypes: [bands]
analyses: [course]
""",
    "sites/north.yaml": """\
site: north
from: north
participant: ID
visits: {wide: {V0: baseline, V4: week_4}}
columns:
  age: {column: AGE, unit: a}
  sex: {column: SEX, codes: {1: male, 2: female}}
measurements:
  hscrp: {column: CRP, unit: mg/L, specimen: serum, assay: roche_crphs, visits: [baseline]}
instruments:
  phq9: {total: PHQ}
""",
    "sites/south.yaml": """\
site: south
like: north
from: south
measurements:
  hscrp: {unit: mg/dL}
""",
    "endotypes/bands.yaml": """\
scheme: bands
version: 1
label: Bands
analyte: hscrp
unit: mg/L
thresholds:
  hscrp_at_least_3: hscrp >= 3
  hscrp_acute: hscrp > 10
rules:
  - {rule: high, when: hscrp_at_least_3, state: inflamed}
  - {rule: low, state: not_inflamed}
acute: hscrp_acute
samples: {from: -7, to: 7, apart: 14}
inflamed: [inflamed_single]
persistent_above_10: out
sources: [made up for a test]
""",
    "analyses/course.yaml": """\
analysis: course
title: Course
role: primary
estimand: {population: everyone, endpoint: PHQ-9 at week 4, summary: points per doubling}
exposure: {analyte: hscrp, visit: baseline, scale: log2, below_limit: fill_lod_sqrt2}
outcome: {construct: severity, visit: week_4, baseline: baseline, scale: points}
models:
  - {id: pooled, family: ancova, covariates: [age, sex], pool: one_stage}
""",
    "report.yaml": "headline: {analysis: course, model: pooled}\n",
    "files.csv": """\
file,sha256,url,source
north.csv,,,a test
south.csv,,,a test
""",
    "data/north.csv": "ID,AGE,SEX,CRP_V0,PHQ_V0,PHQ_V4\nA1,30,1,2.0,10,8\n",
    "data/south.csv": "ID,AGE,SEX,CRP_V0,PHQ_V0,PHQ_V4\nB1,40,2,0.2,12,9\n",
}


def write_study(parent: Path) -> Path:
    """Write the study under `parent` and return its folder."""
    folder = parent / "trial"
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def log_decision(folder: Path, name: str, *, variable: str = "all", sites: str = "all", supersedes: str = "") -> None:
    """Add a line to the study's log of decisions."""
    path = folder / "decisions.csv"
    header = "id,date,who,variable,sites,decision,reason,evidence,alternative,supersedes\n"
    lines = path.read_text(encoding="utf-8") if path.exists() else header
    line = f"{name},2025-06-30,A tester,{variable},{sites},Done so,For a test,A letter,Done otherwise,{supersedes}\n"
    path.write_text(lines + line, encoding="utf-8")


def change(folder: Path, file: str, old: str, new: str) -> None:
    """Replace text that must stand exactly once in a file of the study."""
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
    path.write_text(text.replace(old, new), encoding="utf-8")


def findings(folder: Path) -> list[str]:
    """Return what loading the study finds, as text; empty where it loads."""
    try:
        load_study(str(folder), environment={})
    except InvalidStudyError as error:
        return [str(finding) for finding in error.findings]
    return []
