"""Site lund: one SPSS file with value labels, user-missing ranges and a flag for results below the limit."""

from __future__ import annotations

import numpy as np

from ember.simulate.cohort import Cohort
from ember.simulate.design import ANALYTES, SAMPLED, VISITS, SiteDesign
from ember.simulate.draft import HARMONISE, STANDARDISE, Draft, Extract, Line, note_laboratory_lines
from ember.simulate.people import Chooser, answers_at, coded, day_text, identifiers, results, visit_dates, zero_dates
from ember.simulate.questionnaires import Item, draw_answers

PATH = "lund/quest.sav"
SUFFIXES = dict(zip(VISITS, ("0", "4", "12"), strict=True))
COLUMNS = dict(zip(ANALYTES, ("crp", "il6", "tnf"), strict=True))
ORDER = "%Y-%m-%d"
FILL = 2**0.5

VALUE_LABELS = {
    "kon": {1: "man", 2: "kvinna"},
    "rokare": {0: "nej", 1: "ja"},
    "adv": {0: "nej", 1: "ja"},
    "arm": {1: "escitalopram", 2: "escitalopram + bupropion"},
}
FLAG_LABELS = {0: "measured", 1: "below the detection limit, value is limit / sqrt 2"}
ITEM_LABELS = {97: "not asked", 98: "does not know", 99: "refused"}


def make_lund(
    rng: np.random.Generator, cohort: Cohort, site: SiteDesign, items: tuple[Item, ...], acute_above: float
) -> tuple[list[Extract], list[Line]]:
    """Return the site's file and the lines that the ledger must hold."""
    draft = _clean(rng, cohort, site, items)
    _plant(draft, Chooser(rng, cohort.n), cohort)
    for visit in SAMPLED:
        suffix = SUFFIXES[visit]
        for analyte, column in COLUMNS.items():
            _note_column(draft, f"{column}_{suffix}", f"{column}fl_{suffix}", analyte, acute_above)
    text = {"studieid", "rand", *(f"dat_{suffix}" for suffix in SUFFIXES.values())}
    return [draft.extract(numeric=set(draft.columns) - text, dates=text - {"studieid"})], draft.lines


def _clean(rng: np.random.Generator, cohort: Cohort, site: SiteDesign, items: tuple[Item, ...]) -> Draft:
    columns = {
        "studieid": identifiers("LU", cohort.n),
        "kon": coded(cohort.female, "2", "1"),
        "alder": [str(age) for age in cohort.age.tolist()],
        "bmi": [f"{bmi:.1f}" for bmi in cohort.bmi.tolist()],
        "rokare": coded(cohort.smoker, "1", "0"),
        "adv": coded(cohort.adversity, "1", "0"),
        "arm": coded(cohort.active, "2", "1"),
        "rand": zero_dates(cohort, ORDER),
    }
    visit_columns = {}
    for number, (visit, suffix) in enumerate(SUFFIXES.items()):
        values = {f"dat_{suffix}": visit_dates(cohort, number, ORDER)}
        if visit in SAMPLED:
            for analyte, column in COLUMNS.items():
                texts, flags = _flagged(cohort, site, analyte, SAMPLED.index(visit))
                values[f"{column}_{suffix}"] = texts
                columns[f"{column}fl_{suffix}"] = flags
        answers = draw_answers(rng, cohort.totals[:, number], items)
        for item, texts in zip(items, answers_at(answers, cohort.attended[:, number]), strict=True):
            values[f"qids{item.number:02d}_{suffix}"] = texts
        columns |= values
        visit_columns[visit] = tuple(values)
    return Draft(site.id, PATH, "", 1, columns, visit_columns)


def _flagged(cohort: Cohort, site: SiteDesign, analyte: str, sample: int) -> tuple[list[str], list[str]]:
    """Return results with a fill in place of those below the limit, and the flags that say so."""
    reporting = site.laboratory[analyte]
    fill = f"{reporting.limit / FILL:.2f}"
    texts = results(cohort, analyte, sample, reporting)[1]
    filled = [fill if text.startswith("<") else text for text in texts]
    return filled, [("1" if text.startswith("<") else "0") if text else "" for text in texts]


def _plant(draft: Draft, chooser: Chooser, cohort: Cohort) -> None:
    everywhere = cohort.complete

    def suits(row: int) -> bool:
        return bool(everywhere[row])

    def detected(row: int) -> bool:
        return suits(row) and draft.cell(row, "crpfl_12") == "0"

    for person in chooser.several(2, suits):
        draft.spoil(person, "bmi", "999", STANDARDISE, "value.user_missing")
    for person in chooser.several(2, suits):
        draft.spoil(person, "il6_12", "-9", STANDARDISE, "value.user_missing")
    for person, code in zip(chooser.several(3, suits), ("97", "98", "99"), strict=True):
        draft.spoil_answer(person, "qids12_12", code, STANDARDISE, "value.user_missing")
    draft.spoil_answer(chooser.take(suits), "qids05_4", "9", HARMONISE, "item.outside_range")
    draft.spoil(chooser.take(detected), "crp_12", "-3", HARMONISE, "value.outside_hard_limits")
    person = chooser.take(suits)
    year_before = day_text(int(cohort.time_zero[person] + cohort.days[person, 0]) - 366, ORDER)
    draft.refuse_visit(person, "baseline", "dat_0", year_before, "visit.before_enrolment")
    person = chooser.take(suits)
    too_early = day_text(int(cohort.time_zero[person] + cohort.days[person, 1]) - 5, ORDER)
    draft.refuse_visit(person, "week_12", "dat_12", too_early, "visit.date_order")


def _note_column(draft: Draft, column: str, flag: str, analyte: str, acute_above: float) -> None:
    for row in range(draft.height):
        text = draft.cell(row, column)
        if text and (row, column) not in draft.spoilt:
            note_laboratory_lines(
                draft,
                row,
                column,
                text,
                float(text),
                acute_above if analyte == "hscrp" else None,
                below=draft.cell(row, flag) == "1",
            )
