"""Site porto: one wide CSV in Latin-1 with semicolons, decimal commas and CRP in mg/dL."""

from __future__ import annotations

import numpy as np

from ember.simulate.cohort import Cohort
from ember.simulate.design import ANALYTES, SAMPLED, VISITS, SiteDesign
from ember.simulate.draft import HARMONISE, STANDARDISE, Draft, Extract, Line, note_laboratory_lines
from ember.simulate.people import Chooser, answers_at, coded, day_text, identifiers, results, visit_dates, zero_dates
from ember.simulate.questionnaires import Item, draw_answers

PATH = "porto/estudo.csv"
SUFFIXES = dict(zip(VISITS, ("V0", "V4", "V12"), strict=True))
COLUMNS = dict(zip(ANALYTES, ("PCR", "IL6", "TNF"), strict=True))
ORDER = "%d/%m/%Y"
BATCH_SIZE = 80
MISLABELLED = "L3"
FEWEST_BATCHES = {"all": 4, "few": 1}


def make_porto(
    rng: np.random.Generator,
    cohort: Cohort,
    site: SiteDesign,
    items: tuple[Item, ...],
    acute_above: float,
    faults: str,
) -> tuple[list[Extract], list[Line]]:
    """Return the site's file and the lines that the ledger must hold."""
    draft = _clean(rng, cohort, site, items, FEWEST_BATCHES[faults])
    if faults == "all":
        _mislabel_batch(draft, site)
        _plant_all(draft, Chooser(rng, cohort.n), cohort)
    else:
        _plant_few(draft, Chooser(rng, cohort.n), cohort)
    for visit in SAMPLED:
        for analyte, column in COLUMNS.items():
            _note_column(draft, f"{column}_{SUFFIXES[visit]}", site.laboratory[analyte].factor, analyte, acute_above)
    return [draft.extract()], draft.lines


def _clean(
    rng: np.random.Generator, cohort: Cohort, site: SiteDesign, items: tuple[Item, ...], fewest_batches: int
) -> Draft:
    n = cohort.n
    columns = {
        "PATID": identifiers("PT", n),
        "SEXO": coded(cohort.female, "2", "1"),
        "IDADE": [str(age) for age in cohort.age.tolist()],
        "IMC": [f"{bmi:.1f}".replace(".", ",") for bmi in cohort.bmi.tolist()],
        "FUMADOR": coded(cohort.smoker, "Sim", "Não"),
        "ADVERSIDADE": coded(cohort.adversity, "Sim", "Não"),
        "BRAÇO": coded(cohort.active, "B", "A"),
        "DT_ALEAT": zero_dates(cohort, ORDER),
    }
    batches = _batches(rng, cohort, fewest_batches)
    visit_columns = {}
    for number, (visit, suffix) in enumerate(SUFFIXES.items()):
        values = {f"DT_{suffix}": visit_dates(cohort, number, ORDER)}
        if visit in SAMPLED:
            sample = SAMPLED.index(visit)
            for analyte, column in COLUMNS.items():
                reporting = site.laboratory[analyte]
                values[f"{column}_{suffix}"] = results(cohort, analyte, sample, reporting, decimal=",")[1]
            columns[f"LOTE_{suffix}"] = batches[sample]
        answers = draw_answers(rng, cohort.totals[:, number], items)
        for item, texts in zip(items, answers_at(answers, cohort.attended[:, number]), strict=True):
            values[f"HAMD{item.number:02d}_{suffix}"] = texts
        columns |= values
        visit_columns[visit] = tuple(values)
    return Draft(site.id, PATH, "", 2, columns, visit_columns)


def _batches(rng: np.random.Generator, cohort: Cohort, fewest: int) -> list[list[str]]:
    """Return the batch of each sample: both samples of the site are spread over the batches at random."""
    drawn = np.flatnonzero(cohort.sampled.T.ravel())
    count = max(fewest, round(len(drawn) / BATCH_SIZE))
    texts = np.full(2 * cohort.n, "", dtype=object)
    texts[rng.permutation(drawn)] = [f"L{place % count + 1}" for place in range(len(drawn))]
    return [texts[: cohort.n].tolist(), texts[cohort.n :].tolist()]


def _mislabel_batch(draft: Draft, site: SiteDesign) -> None:
    """Write one batch in mg/L under the header that says mg/dL; the study file excludes it."""
    factor = site.laboratory["hscrp"].factor
    for visit in SAMPLED:
        suffix = SUFFIXES[visit]
        for row in range(draft.height):
            text = draft.cell(row, f"PCR_{suffix}")
            if draft.cell(row, f"LOTE_{suffix}") == MISLABELLED and text:
                sign = text[0] if text[0] in "<>" else ""
                number = float(text.lstrip("<>").replace(",", ".")) / factor
                wrong = f"{sign}{number:g}" if sign else f"{number:.2f}"
                draft.spoil(row, f"PCR_{suffix}", wrong.replace(".", ","), HARMONISE, "value.finding_excluded")


def _plant_few(draft: Draft, chooser: Chooser, cohort: Cohort) -> None:
    for person, code in zip(chooser.several(2, lambda _: True), ("999", "-9"), strict=True):
        draft.spoil(person, "IMC", code, STANDARDISE, "value.missing_code")
    person = chooser.take(lambda row: bool(cohort.sampled[row, 0]))
    draft.spoil(person, "IL6_V0", "k.A.", STANDARDISE, "value.missing_code")


def _plant_all(draft: Draft, chooser: Chooser, cohort: Cohort) -> None:
    everywhere = cohort.complete
    mislabelled = [
        any(draft.cell(row, f"LOTE_{SUFFIXES[visit]}") == MISLABELLED for visit in SAMPLED) for row in range(cohort.n)
    ]
    late = (cohort.time_zero + cohort.days[:, 2]).tolist()

    def suits(row: int) -> bool:
        return bool(everywhere[row]) and not mislabelled[row]

    def suits_swap(row: int) -> bool:
        return suits(row) and int(day_text(late[row], "%d")) > 12

    for person, code in zip(chooser.several(4, suits), ("999", "999", "-9", "-9"), strict=True):
        draft.spoil(person, "IMC", code, STANDARDISE, "value.missing_code")
    for person in chooser.several(3, suits):
        draft.spoil(person, "IL6_V0", "k.A.", STANDARDISE, "value.missing_code")
    for person in chooser.several(2, suits):
        draft.spoil(person, "TNF_V12", "-9", STANDARDISE, "value.missing_code")
    for person in chooser.several(2, suits):
        draft.spoil_answer(person, "HAMD07_V12", "-9", STANDARDISE, "value.missing_code")
    draft.spoil_answer(chooser.take(suits), "HAMD03_V4", "9", HARMONISE, "item.outside_range")
    draft.spoil(chooser.take(suits), "IDADE", "412", STANDARDISE, "value.outside_hard_limits")
    draft.spoil(chooser.take(suits), "PCR_V12", "-3", HARMONISE, "value.outside_hard_limits")
    for person in chooser.several(2, suits_swap):
        swapped = day_text(late[person], "%m/%d/%Y")
        draft.refuse_visit(person, "week_12", "DT_V12", swapped, "visit.date_unreadable")
    person = chooser.take(suits)
    year_before = day_text(int(cohort.time_zero[person] + cohort.days[person, 0]) - 365, ORDER)
    draft.refuse_visit(person, "baseline", "DT_V0", year_before, "visit.before_enrolment")
    person = chooser.take(suits)
    too_early = day_text(int(cohort.time_zero[person] + cohort.days[person, 1]) - 9, ORDER)
    draft.refuse_visit(person, "week_12", "DT_V12", too_early, "visit.date_order")
    for person in chooser.several(2, suits):
        draft.repeat_row(person)


def _note_column(draft: Draft, column: str, factor: float, analyte: str, acute_above: float) -> None:
    for row in range(draft.height):
        text = draft.cell(row, column)
        if text and (row, column) not in draft.spoilt:
            canonical = float(text.lstrip("<>").replace(",", ".")) / factor
            note_laboratory_lines(draft, row, column, text, canonical, acute_above if analyte == "hscrp" else None)
