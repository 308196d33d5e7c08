"""Site graz: a long REDCap export with its data dictionary, CRP in nmol/L."""

from __future__ import annotations

import numpy as np
import polars as pl

from ember.simulate.cohort import Cohort
from ember.simulate.design import ANALYTES, SAMPLED, VISITS, SiteDesign
from ember.simulate.draft import HARMONISE, STANDARDISE, Draft, Extract, Line, note_laboratory_lines
from ember.simulate.people import Chooser, coded, day_text, identifiers, results, visit_dates, zero_dates
from ember.simulate.questionnaires import Item, draw_answers

PATH = "graz/redcap_export.csv"
DICTIONARY = "graz/redcap_dictionary.csv"
EVENTS = dict(zip(VISITS, ("baseline_arm_1", "week_4_arm_1", "week_12_arm_1"), strict=True))
COLUMNS = dict(zip(ANALYTES, ("crp", "il6", "tnf"), strict=True))
ORDER = "%Y-%m-%d"


def make_graz(
    rng: np.random.Generator,
    cohort: Cohort,
    site: SiteDesign,
    items: tuple[Item, ...],
    acute_above: float,
    faults: str,
) -> tuple[list[Extract], list[Line]]:
    """Return the site's export and its dictionary, and the lines that the ledger must hold."""
    draft, places = _clean(rng, cohort, site, items)
    chooser = Chooser(rng, cohort.n)
    if faults == "all":
        _plant_all(draft, chooser, cohort, places)
    else:
        _plant_few(draft, chooser, cohort, places)
    for analyte, column in COLUMNS.items():
        factor = site.laboratory[analyte].factor
        limit = acute_above if analyte == "hscrp" else None
        for row in range(draft.height):
            text = draft.cell(row, column)
            if text and (row, column) not in draft.spoilt:
                note_laboratory_lines(draft, row, column, text, float(text.lstrip("<>")) / factor, limit)
    return [draft.extract(), _dictionary(site, items)], draft.lines


def _clean(
    rng: np.random.Generator, cohort: Cohort, site: SiteDesign, items: tuple[Item, ...]
) -> tuple[Draft, dict[tuple[int, str], int]]:
    """Return the export, sorted by record and event, and the place of each visit in it."""
    blocks = [_event(rng, cohort, site, items, number) for number in range(len(VISITS))]
    rows = [
        (person, visit)
        for person in range(cohort.n)
        for number, visit in enumerate(VISITS)
        if cohort.attended[person, number]
    ]
    columns = {name: [blocks[VISITS.index(visit)][name][person] for person, visit in rows] for name in blocks[0]}
    mapped = ("visit_date", *COLUMNS.values(), *(f"phq9_{item.number}" for item in items if item.scored))
    draft = Draft(site.id, PATH, "", 2, columns, dict.fromkeys(VISITS, mapped))
    return draft, {place: row for row, place in enumerate(rows)}


def _event(
    rng: np.random.Generator, cohort: Cohort, site: SiteDesign, items: tuple[Item, ...], number: int
) -> dict[str, list[str]]:
    """Return the cells of one event for everyone; what does not change stands at baseline only."""
    visit, n = VISITS[number], cohort.n
    empty = [""] * n
    once = {
        "age": [str(age) for age in cohort.age.tolist()],
        "sex": coded(cohort.female, "1", "0"),
        "bmi": [f"{bmi:.1f}" for bmi in cohort.bmi.tolist()],
        "smoker": coded(cohort.smoker, "1", "0"),
        "adversity": coded(cohort.adversity, "1", "0"),
        "rand_group": coded(cohort.active, "ESC_BUP", "ESC"),
        "rand_date": zero_dates(cohort, ORDER),
    }
    values = {
        "record_id": identifiers("", n, width=1),
        "redcap_event_name": [EVENTS[visit]] * n,
        **(once if visit == "baseline" else dict.fromkeys(once, empty)),
        "visit_date": visit_dates(cohort, number, ORDER),
    }
    for analyte, column in COLUMNS.items():
        sampled = visit in SAMPLED
        values[column] = (
            results(cohort, analyte, SAMPLED.index(visit), site.laboratory[analyte])[1] if sampled else empty
        )
    answers = draw_answers(rng, cohort.totals[:, number], items)
    for item, column_answers in zip(items, answers.T.tolist(), strict=True):
        values[f"phq9_{item.number}"] = [str(answer) for answer in column_answers]
    return values


def _plant_few(draft: Draft, chooser: Chooser, cohort: Cohort, places: dict[tuple[int, str], int]) -> None:
    person = chooser.take(lambda row: bool(cohort.sampled[row, 0]))
    draft.spoil(places[person, "baseline"], "tnf", "-9", STANDARDISE, "value.missing_code")
    person = chooser.take(lambda _: True)
    draft.spoil(places[person, "baseline"], "bmi", "999", STANDARDISE, "value.missing_code")


def _plant_all(draft: Draft, chooser: Chooser, cohort: Cohort, places: dict[tuple[int, str], int]) -> None:
    everywhere = cohort.complete
    first, last = ((cohort.time_zero + cohort.days[:, number]).tolist() for number in (0, 2))

    def suits(row: int) -> bool:
        return bool(everywhere[row])

    def suits_swap(days: list[int]) -> int:
        return chooser.take(lambda row: suits(row) and int(day_text(days[row], "%d")) > 12)

    def swap(person: int, visit: str, day: int) -> None:
        draft.refuse_visit(
            places[person, visit], visit, "visit_date", day_text(day, "%Y-%d-%m"), "visit.date_unreadable"
        )

    for person, code in zip(chooser.several(3, suits), ("-9", "999", "-9"), strict=True):
        draft.spoil(places[person, "baseline"], "crp", code, STANDARDISE, "value.missing_code")
    for person in chooser.several(2, suits):
        draft.spoil(places[person, "baseline"], "bmi", "999", STANDARDISE, "value.missing_code")
    person = chooser.take(suits)
    draft.spoil_answer(places[person, "week_12"], "phq9_3", "9", HARMONISE, "item.missing_code")
    person = chooser.take(suits)
    draft.spoil_answer(places[person, "week_4"], "phq9_6", "5", HARMONISE, "item.outside_range")
    person = chooser.take(suits)
    draft.spoil(places[person, "baseline"], "age", "412", STANDARDISE, "value.outside_hard_limits")
    person = suits_swap(last)
    swap(person, "week_12", last[person])
    person = suits_swap(first)
    swap(person, "baseline", first[person])
    person = chooser.take(suits)
    too_early = day_text(int(cohort.time_zero[person] + cohort.days[person, 1]) - 7, ORDER)
    draft.refuse_visit(places[person, "week_12"], "week_12", "visit_date", too_early, "visit.date_order")
    for person in chooser.several(2, suits):
        draft.repeat_row(places[person, "week_12"])


def _dictionary(site: SiteDesign, items: tuple[Item, ...]) -> Extract:
    """Return the REDCap data dictionary; item wordings belong to their owners and are not shipped."""
    arms = "ESC, Escitalopram | ESC_BUP, Escitalopram and bupropion"
    yes_no, answers = "0, No | 1, Yes", "0, 0 | 1, 1 | 2, 2 | 3, 3 | 7, Refused | 9, Do not know"
    fields = [
        ("record_id", "enrolment", "text", "Study number", "", ""),
        ("age", "enrolment", "text", "Age, years", "", "number"),
        ("sex", "enrolment", "radio", "Sex", "0, Male | 1, Female", ""),
        ("bmi", "enrolment", "text", "Body mass index, kg/m2", "", "number"),
        ("smoker", "enrolment", "radio", "Current smoker", yes_no, ""),
        ("adversity", "enrolment", "radio", "Childhood adversity", yes_no, ""),
        ("rand_group", "enrolment", "radio", "Randomised to", arms, ""),
        ("rand_date", "enrolment", "text", "Date of randomisation", "", "date_ymd"),
        ("visit_date", "visit", "text", "Date of the visit", "", "date_ymd"),
        ("crp", "laboratory", "text", "C-reactive protein, nmol/L", "", ""),
        ("il6", "laboratory", "text", "Interleukin-6, pg/mL", "", ""),
        ("tnf", "laboratory", "text", "TNF-alpha, pg/mL", "", ""),
        *((f"phq9_{item.number}", "phq9", "radio", f"PHQ-9 item {item.number}", answers, "") for item in items),
    ]
    names = (
        "Variable / Field Name",
        "Form Name",
        "Field Type",
        "Field Label",
        "Choices, Calculations, OR Slider Labels",
        "Text Validation Type OR Show Slider Number",
    )
    cells = pl.DataFrame(fields, schema=dict.fromkeys(names, pl.String()), orient="row")
    return Extract(site.id, DICTIONARY, "", 2, cells)
