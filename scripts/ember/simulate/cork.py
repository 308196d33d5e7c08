"""Site cork: an Excel workbook of two sheets with title rows, beside a tidy laboratory file in Parquet."""

from __future__ import annotations

import numpy as np

from ember.simulate.cohort import Cohort
from ember.simulate.design import ANALYTES, SAMPLED, VISITS, SiteDesign
from ember.simulate.draft import HARMONISE, STANDARDISE, Draft, Extract, Line, note_laboratory_lines
from ember.simulate.people import Chooser, coded, day_text, identifiers, results, visit_dates, zero_dates
from ember.simulate.questionnaires import Item, draw_answers

WORKBOOK = "cork/trial.xlsx"
LABORATORY = "cork/laboratory.parquet"
PARTICIPANTS_HEADER, VISITS_HEADER = 4, 3
CODES = dict(zip(VISITS, ("BL", "W4", "W12"), strict=True))
TESTS = dict(zip(ANALYTES, ("CRP", "IL-6", "TNF-a"), strict=True))
ORDER = "%Y-%m-%d"
Place = tuple[int, str]


def make_cork(
    rng: np.random.Generator, cohort: Cohort, site: SiteDesign, items: tuple[Item, ...], acute_above: float
) -> tuple[list[Extract], list[Line]]:
    """Return the site's two sheets and its laboratory file, and the lines that the ledger must hold."""
    roster = _roster(cohort, site)
    visits, visit_places = _visits(rng, cohort, site, items)
    laboratory, result_places = _laboratory(cohort, site)
    _plant(roster, visits, laboratory, Chooser(rng, cohort.n), cohort, visit_places, result_places)
    for (_, analyte, _), row in result_places.items():
        text = laboratory.cell(row, "result")
        if (row, "result") not in laboratory.spoilt:
            limit = acute_above if analyte == "hscrp" else None
            note_laboratory_lines(laboratory, row, "result", text, float(text.lstrip("<>")), limit)
    number_columns = {f"MADRS {item.number}" for item in items}
    extracts = [
        roster.extract(numeric={"Age (y)", "BMI"}, dates={"Randomised"}),
        visits.extract(numeric=number_columns, dates={"Date"}),
        laboratory.extract(),
    ]
    return extracts, roster.lines + visits.lines + laboratory.lines


def _roster(cohort: Cohort, site: SiteDesign) -> Draft:
    columns = {
        "Study No": identifiers("CK", cohort.n),
        "Age (y)": [str(age) for age in cohort.age.tolist()],
        "Sex": coded(cohort.female, "F", "M"),
        "BMI": [f"{bmi:.1f}" for bmi in cohort.bmi.tolist()],
        "Smoker": coded(cohort.smoker, "Y", "N"),
        "Adversity": coded(cohort.adversity, "Y", "N"),
        "Arm": coded(cohort.active, "ESC+BUP", "ESC"),
        "Randomised": zero_dates(cohort, ORDER),
    }
    return Draft(site.id, WORKBOOK, "Participants", PARTICIPANTS_HEADER + 1, columns, {})


def _visits(
    rng: np.random.Generator, cohort: Cohort, site: SiteDesign, items: tuple[Item, ...]
) -> tuple[Draft, dict[Place, int]]:
    numbers = identifiers("CK", cohort.n)
    dates = [visit_dates(cohort, visit, ORDER) for visit in range(len(VISITS))]
    answers = [draw_answers(rng, cohort.totals[:, visit], items).tolist() for visit in range(len(VISITS))]
    rows = [(person, k) for person in range(cohort.n) for k in range(len(VISITS)) if cohort.attended[person, k]]
    columns = {
        "Study No": [numbers[person] for person, _ in rows],
        "Visit": [CODES[VISITS[k]] for _, k in rows],
        "Date": [dates[k][person] for person, k in rows],
    }
    for place, item in enumerate(items):
        columns[f"MADRS {item.number}"] = [str(answers[k][person][place]) for person, k in rows]
    mapped = ("Date", *(f"MADRS {item.number}" for item in items))
    draft = Draft(site.id, WORKBOOK, "Visits", VISITS_HEADER + 1, columns, dict.fromkeys(VISITS, mapped))
    return draft, {(person, VISITS[k]): row for row, (person, k) in enumerate(rows)}


def _laboratory(cohort: Cohort, site: SiteDesign) -> tuple[Draft, dict[tuple[int, str, str], int]]:
    """Return one row a result, sample by sample, and the place of each result."""
    numbers = identifiers("CK", cohort.n)
    rows = [
        (person, analyte, visit, text)
        for sample, visit in enumerate(SAMPLED)
        for analyte in ANALYTES
        for person, text in enumerate(results(cohort, analyte, sample, site.laboratory[analyte])[1])
        if text
    ]
    columns = {
        "study_no": [numbers[person] for person, *_ in rows],
        "visit": [CODES[visit] for _, _, visit, _ in rows],
        "test": [TESTS[analyte] for _, analyte, _, _ in rows],
        "result": [text for *_, text in rows],
        "unit": [site.laboratory[analyte].unit for _, analyte, _, _ in rows],
        "batch": [f"{TESTS[analyte]}-{SAMPLED.index(visit) + 1}" for _, analyte, visit, _ in rows],
    }
    draft = Draft(site.id, LABORATORY, "", 1, columns, {})
    return draft, {(person, analyte, visit): row for row, (person, analyte, visit, _) in enumerate(rows)}


def _plant(
    roster: Draft,
    visits: Draft,
    laboratory: Draft,
    chooser: Chooser,
    cohort: Cohort,
    visit_places: dict[Place, int],
    result_places: dict[tuple[int, str, str], int],
) -> None:
    everywhere = cohort.complete

    def suits(row: int) -> bool:
        return bool(everywhere[row])

    for person, code in zip(chooser.several(2, suits), ("-9", "999"), strict=True):
        roster.spoil(person, "BMI", code, STANDARDISE, "value.missing_code")
    roster.spoil(chooser.take(suits), "Age (y)", "412", STANDARDISE, "value.outside_hard_limits")
    place = result_places[chooser.take(suits), "hscrp", "week_12"]
    laboratory.spoil(place, "result", "-3", HARMONISE, "value.outside_hard_limits")
    for person in chooser.several(2, suits):
        place = result_places[person, "tnf", "baseline"]
        laboratory.spoil(place, "result", "999", STANDARDISE, "value.missing_code")
    for person in chooser.several(2, suits):
        laboratory.repeat_row(result_places[person, "il6", "baseline"])
    visits.spoil_answer(visit_places[chooser.take(suits), "week_12"], "MADRS 4", "9", HARMONISE, "item.outside_range")
    person = chooser.take(suits)
    place = visit_places[person, "week_4"]
    visits.spoil_answer(place, "MADRS 8", "-9", STANDARDISE, "value.missing_code")
    person = chooser.take(suits)
    year_before = day_text(int(cohort.time_zero[person] + cohort.days[person, 1]) - 365, ORDER)
    visits.refuse_visit(visit_places[person, "week_4"], "week_4", "Date", year_before, "visit.before_enrolment")
    person = chooser.take(suits)
    too_early = day_text(int(cohort.time_zero[person] + cohort.days[person, 1]) - 6, ORDER)
    row = visit_places[person, "week_12"]
    visits.refuse_visit(row, "week_12", "Date", too_early, "visit.date_order")
    for analyte in ANALYTES:  # the laboratory file has no date of its own: its results share the visit's fate
        laboratory.expect(result_places[person, analyte, "week_12"], "result", STANDARDISE, "visit.date_order")
    visits.repeat_row(visit_places[chooser.take(suits), "baseline"])
