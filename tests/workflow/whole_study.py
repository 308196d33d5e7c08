"""The tiny study with everything at once: packed text without a header, a join, derived columns, corrections, consent,
several tables on one source, laboratory rows, treatments, repeated rows; and a telling text in every kind of cell."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

from tests.workflow.conftest import Workspace

CANARY = "KANARIE"
LABELS = [
    "record_id", "form", "redcap_event_name", "visit_date", "il6", "tnf",
    "test", "result", "unit", "operator", "specimen", "remark", "drug", "dose", "weeks", "worked",
]  # fmt: skip

STUDY_CHANGES = {
    "privacy: synthetic": "privacy: restricted\nDTD\nconsent: {required: [biomarkers, sharing]}\n"
    "locked_visits: [baseline]",
    '  porto: {path: porto/estudo.csv, format: csv, encoding: latin-1, delimiter: ";", decimal: ","}': """\
  porto:
    path: porto/pack.zip
    compression: zip
    member: estudo.txt
    format: csv
    encoding: latin-1
    delimiter: ";"
    decimal: ","
    header_row: 0
    names: NAMES
  porto_consent: {path: porto/consent.csv, format: csv}""",
    "  graz: {path: graz/redcap_export.csv, format: csv, dictionary: graz/redcap_dictionary.csv}": """\
  graz_people: {path: graz/people.csv, format: csv}
  graz:
    path: graz/redcap_export.csv
    format: csv
    dictionary: graz/redcap_dictionary.csv
    missing_codes: {NASK: not asked}
    version: "2"
    supersedes: graz/earlier.csv
    join: [{source: graz_people, on: {record_id: pid}, cardinality: many_to_one, columns: COLUMNS}]""",
}

DTD = """\
dtd:
  disorder: {column: depressive_disorder, equals: ["yes"]}
  burden:
    domains:
      symptoms: [{instrument: phq9, operator: ">=", value: 5}, {instrument: hamd17, operator: ">=", value: 8}]
    at_least: 1
    visits: 2
    days_apart: 21
  usual_treatment: {column: usual_treatment, equals: ["yes"]}
  reason: Invented for a test."""
PORTO = """\
site: porto
label: Porto
tables:
  main:
    from: porto
    participant: PATID
    derived:
      IMC2: {formula: "PESO / (ALTURA * ALTURA)", decision: D-BMI}
    time_zero: {column: DT_ALEAT, date: "%d/%m/%Y"}
    visits:
      wide: {V0: baseline, V4: week_4, V12: week_12}
      date: {column: DT, date: "%d/%m/%Y"}
    missing: ["-9", "999", "k.A."]
    columns:
      age: {column: IDADE, unit: a}
      sex: {column: SEXO, codes: {"1": male, "2": female}}
      bmi: {column: IMC2, unit: kg/m2}
      smoker: {column: FUMADOR, codes: {Sim: "yes", Não: "no"}}
      adversity: {column: ADVERSIDADE, codes: {Sim: "yes", Não: "no"}}
      arm: {column: BRAÇO, codes: {A: escitalopram, B: escitalopram_bupropion}}
    measurements:
      hscrp: {column: PCR, unit: mg/dL, specimen: serum, assay: sim_crp_wide, batch: LOTE, visits: [baseline, week_12]}
      il6: {column: IL6, unit: pg/mL, specimen: serum, assay: sim_il6, visits: [baseline, week_12]}
      tnf: {column: TNF, unit: pg/mL, specimen: serum, assay: sim_tnf, visits: [baseline, week_12]}
    instruments:
      hamd17: {items: "HAMD{item:02d}"}
  consent:
    from: porto_consent
    participant: who
    consent:
      purposes:
        biomarkers: {column: bio, codes: {"1": granted, "0": refused}}
        sharing: {column: share, codes: {"1": granted, "0": refused}}
      withdrawn: {column: withdrew, date: "%Y-%m-%d"}
      on_withdrawal: {column: choice, codes: {K: keep, E: erase}}
"""
GRAZ = """\
site: graz
label: Graz
tables:
  visits:
    from: graz
    participant: record_id
    rows: {column: form, equals: visit}
    corrections: graz/corrections.csv
    duplicates: {keep: first, reason: The first entry of the form stands., decision: D-DUP}
    time_zero: {column: rand_date, date: "%Y-%m-%d"}
    visits:
      long: &events
        column: redcap_event_name
        codes: {baseline_arm_1: baseline, week_4_arm_1: week_4, week_12_arm_1: week_12}
      date: {column: visit_date, date: "%Y-%m-%d"}
    missing: ["-9", "999"]
    columns:
      age: {column: age, unit: a}
      sex: {column: sex, codelist: sex}
      bmi: {column: bmi, unit: kg/m2}
      smoker: {column: smoker, codes: {"0": "no", "1": "yes"}}
      adversity: {column: adversity, codes: {"0": "no", "1": "yes"}}
      depressive_disorder: {column: mdd, codes: {"0": "no", "1": "yes"}}
      usual_treatment: {column: usual, codes: {"0": "no", "1": "yes"}}
      episode_months: {column: months, unit: mo}
      episode_severity: {column: severity, codes: {"2": moderate, "3": severe}}
      arm: {column: rand_group, codes: {ESC: escitalopram, ESC_BUP: escitalopram_bupropion}}
    measurements:
      il6: {column: il6, unit: pg/mL, specimen: serum, assay: sim_il6, visits: [baseline, week_12]}
      tnf: {column: tnf, unit: pg/mL, specimen: serum, assay: sim_tnf, visits: [baseline, week_12]}
    instruments:
      phq9: {items: "phq9_{item}"}
    consent:
      purposes:
        biomarkers: {column: bio, codes: {"1": granted, "0": refused}}
        sharing: {column: share, codes: {"1": granted, "0": refused}}
      withdrawn: {column: withdrew, date: "%Y-%m-%d"}
      on_withdrawal: {column: choice, codes: {K: keep, E: erase}}
  laboratory:
    from: graz
    participant: record_id
    rows: {column: form, equals: lab}
    visits: {long: *events}
    laboratory:
      analyte: {column: test, codes: {CRP: hscrp}}
      value: result
      unit: {column: unit}
      operator: {column: operator, codes: {"<": "<", "=": "=", ">": ">"}}
      specimen: {column: specimen, codes: {S: serum}}
      assays: {hscrp: sim_crp_wide}
      molar_factor: {nmol_per_mg: 9.524, reason: The laboratory states 105 kDa on its reports., decision: CRP-MOLAR}
  drugs:
    from: graz
    participant: record_id
    rows: {column: form, equals: drug}
    visits: {long: *events}
    treatments:
      name: drug
      role: background
      split: "+"
      dose: {column: dose, unit: mg/day}
      duration: {column: weeks, unit: weeks}
      outcome: {column: worked, codes: {"0": none, "1": response}}
      episode: current
      complete:
        kinds: [antidepressant, augmentation, neuromodulation]
        reason: The form asks for every treatment of the episode.
        decision: D-LIST
"""
DECISIONS = """\
D-BMI,2025-05-12,Test data,bmi,porto,The body mass index is computed.,The extract has weight and height.,invented,none,
D-DUP,2025-05-12,Test data,all,graz,The first entry stands.,The form was entered again by mistake.,invented,none,
D-LIST,2025-05-12,Test data,treatments,graz,The list of trials is complete.,The form asks for all.,invented,none,
"""
PEOPLE = ("age", "sex", "bmi", "smoker", "adversity", "rand_group", "rand_date")
CONSENT = ("bio", "share", "withdrew", "choice")
CLINICAL = ("mdd", "usual", "months", "severity")
# Who did not agree, and how: place of the participant in the file by the answers.
ANSWERS = {
    2: ("0", "1", "", ""),
    3: ("1", f"{CANARY}-answer", "", ""),
    4: ("1", "1", "2024-06-01", "E"),
    5: ("1", "1", "2030-01-01", "K"),
}


def plant(workspace: Workspace) -> None:
    """Turn the tiny study in a workspace into the one with everything, telling texts included."""
    folder = workspace.study / "extracts"
    names = _porto(folder / "porto")
    _graz(folder / "graz")
    path = workspace.study / "study.yaml"
    text = path.read_text(encoding="utf-8")
    for old, new in STUDY_CHANGES.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    columns = [*PEOPLE, *CONSENT, *CLINICAL]
    text = text.replace("NAMES", f"[{', '.join(names)}]").replace("COLUMNS", f"[{', '.join(columns)}]")
    text = text.replace("DTD", DTD)
    path.write_text(text, encoding="utf-8")
    (workspace.study / "sites" / "porto.yaml").write_text(PORTO, encoding="utf-8")
    (workspace.study / "sites" / "graz.yaml").write_text(GRAZ, encoding="utf-8")
    with (workspace.study / "decisions.csv").open("a", encoding="utf-8") as log:
        log.write(DECISIONS)


def _porto(folder: Path) -> list[str]:
    """Pack the wide file without its header; weight and height stand for the body mass index."""
    lines = (folder / "estudo.csv").read_text(encoding="latin-1").splitlines()
    header, *rows = (line.split(";") for line in lines)
    bmi = header.index("IMC")
    for place, cells in enumerate(rows):
        index = float(cells[bmi].replace(",", ".")) if cells[bmi] not in ("999", "") else None
        weight = f"{CANARY}-weight" if place == 8 else "" if index is None else f"{index * 2.89:.2f}".replace(".", ",")
        cells.extend([weight, "1,7", f"{CANARY}-remark" if place % 3 else ""])
    rows[9][header.index("PCR_V0")] = f"{CANARY}-result"
    rows[10][header.index("SEXO")] = f"{CANARY}-sex"
    rows[11][header.index("DT_V0")] = f"{CANARY}-date"
    rows[12][header.index("DT_ALEAT")] = f"{CANARY}-zero"
    rows[13][header.index("HAMD01_V0")] = f"{CANARY}-item"
    rows[14][0] = f"{CANARY}-id"
    rows[15][header.index("LOTE_V0")] = f"{CANARY}-batch"
    rows[16][header.index("PCR_V0")] = "0,98765"
    text = "\r\n".join(";".join(cells) for cells in rows) + "\r\n"
    with zipfile.ZipFile(folder / "pack.zip", "w") as packed:
        packed.writestr("estudo.txt", text.encode("latin-1"))
        packed.writestr("README.txt", f"{CANARY}-member")
    ids = [cells[0] for cells in rows]
    answers = [(who, *ANSWERS.get(place, ("1", "1", "", ""))) for place, who in enumerate(ids)]
    _write(folder / "consent.csv", ("who", *CONSENT), answers)
    return [*header, "PESO", "ALTURA", "NOTAS"]


def _graz(folder: Path) -> None:
    """Split the export: people, and rows of visits, of the laboratory and of drugs."""
    with (folder / "redcap_export.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    ids = list(dict.fromkeys(row["record_id"] for row in rows))
    new_id = {who: f"{CANARY}-{place:03d}" for place, who in enumerate(ids)}
    people = []
    for place, who in enumerate(ids):
        own = [row for row in rows if row["record_id"] == who]
        base = next(row for row in own if row["redcap_event_name"] == "baseline_arm_1")
        sex = "female" if base["sex"] == "1" else f"{CANARY}-sex" if place == 20 else "male"
        answers = ANSWERS.get(place, ("1", "1", "", ""))
        if place != 7:  # one participant has no partner
            people.append(
                [new_id[who], base["age"], sex, *(base[name] for name in PEOPLE[2:]), *answers, *_clinical(place)]
            )
    _write(folder / "people.csv", ("pid", *PEOPLE, *CONSENT, *CLINICAL), people)
    items = [name for name in rows[0] if name.startswith("phq9_")]
    header = [*LABELS, *items]
    out = [line for row in rows for line in _rows_of(row, header, items, new_id[row["record_id"]])]
    again = dict(out[0], il6="77")
    out.append(again)
    for place, (column, text) in enumerate({"il6": "il6", "visit_date": "date", "phq9_1": "item"}.items()):
        next(line for line in out[40 + 5 * place :] if line["form"] == "visit")[column] = f"{CANARY}-{text}"
    labs = [line for line in out if line["form"] == "lab"]
    for line, column in zip(labs[24::4], ("unit", "test", "operator", "specimen"), strict=False):
        line[column] = f"{CANARY}-{column}"
    _write(folder / "redcap_export.csv", header, [[line[name] for name in header] for line in out])
    earlier = [dict(line, il6=f"{CANARY}-old") if place % 7 == 0 else line for place, line in enumerate(out[:-6])]
    _write(folder / "earlier.csv", header, [[line[name] for name in header] for line in earlier])
    target = next(line for line in out if line["record_id"] == new_id[ids[6]] and line["form"] == "visit")
    _write(
        folder / "corrections.csv",
        ("id", "participant", "visit", "column", "expect", "value", "reason", "provider", "date", "query"),
        [["C1", new_id[ids[6]], target["redcap_event_name"], "il6", target["il6"], "9.8765", "Typing error.", "Graz",
          "2025-01-01", "graz-00001"]],
    )  # fmt: skip


def _rows_of(row: dict[str, str], header: list[str], items: list[str], who: str) -> list[dict[str, str]]:
    blank = {**dict.fromkeys(header, ""), "record_id": who, "redcap_event_name": row["redcap_event_name"]}
    visit = {**blank, "form": "visit", **{name: row[name] for name in ("visit_date", "il6", "tnf", *items)}}
    visit["remark"] = f"{CANARY}-remark"
    made = [visit]
    if row["crp"]:
        laboratory = {"test": "CRP", "result": row["crp"], "unit": "nmol/L", "operator": "=", "specimen": "S"}
        made.append({**blank, "form": "lab", **laboratory})
    if row["redcap_event_name"] == "baseline_arm_1":
        name = {"1": f"{CANARY}-drug", "2": f"AMITRIPTYLINE+{CANARY}-pill"}.get(row["record_id"], "AMITRIPTYLINE")
        place = int(row["record_id"])
        first = {"drug": name, "dose": "150", "weeks": "8", "worked": "0"}
        second = {"drug": "SERTRALINE", "dose": "100", "weeks": "6", "worked": "1" if place % 3 else "0"}
        second["dose"] = {10: f"{CANARY}-dose", 6: ""}.get(place, second["dose"])
        made.extend({**blank, "form": "drug", **told} for told in (first, second))
    return made


def _clinical(place: int) -> tuple[str, ...]:
    """Return whether there is a depressive disorder and usual treatment, and duration and severity of the episode."""
    return ("" if place == 9 else "1", "0" if place % 5 == 0 else "1", "" if place == 11 else "18", "2")


def _write(path: Path, header: list[str] | tuple[str, ...], rows: list[list[str]] | list[tuple[str, ...]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    path.write_text(text.getvalue(), encoding="utf-8")
