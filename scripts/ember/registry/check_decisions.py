"""Cross-check the log of decisions: what it refers to, and that every choice in a site file cites a line of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ember.errors import EmberError, nearest_name
from ember.registry.decisions import ALL, COLUMNS, FILE, Decision, names_of
from ember.registry.model import MeasurementMap, Site, Study, TableMap
from ember.registry.yaml_file import Keys, YamlFile


@dataclass(frozen=True)
class Citation:
    """A mapping that is a choice, or cites a decision without being one.

    Attributes
    ----------
    keys : tuple
        Where the mapping stands in the site file.
    what : str
        The choice in words; empty where none has to be cited.
    variables : tuple of str
        What the decision must be about; empty where the mapping is about a whole table.
    decision : str or None
        The id that is cited.
    """

    keys: Keys
    what: str
    variables: tuple[str, ...]
    decision: str | None


def decision_findings(study: Study, documents: Mapping[str, YamlFile]) -> Iterator[EmberError]:
    """Yield everything in the log, and in the citations of the site files, that leads nowhere.

    Parameters
    ----------
    documents : mapping of str to YamlFile
        The site files, for places in messages.
    """
    yield from _log_findings(study)
    uncited: dict[str, str] = {}
    for site in study.sites.values():
        document = documents[site.id]
        for citation in citations(site, "tables" in document.content):
            place = document.place(citation.keys)
            if citation.decision is not None:
                cited = document.place((*citation.keys, "decision"))
                yield from _cited_findings(study, site, citation, citation.decision, cited)
            elif citation.what and study.decisions:
                yield _uncited(study, site, citation, place)
            elif citation.what:
                uncited[place] = citation.what
    if uncited:
        yield _no_log(uncited)


def citations(site: Site, nested: bool) -> Iterator[Citation]:
    """Yield every mapping of a site that has to cite a decision, or cites one.

    Identical values, codes translated one to one and unit conversions by the registry are no choices. A derived
    column, several codes recoded onto one, a molar factor, a fill or limit given by the site, and the choice
    between duplicate rows are, and so is a bridge between assays,
    or a link between instruments.
    """
    for table in site.tables:
        base: Keys = ("tables", table.name) if nested else ()
        yield from _table_citations(table, base)


def _table_citations(table: TableMap, base: Keys) -> Iterator[Citation]:
    for name, derived in table.derived.items():
        yield Citation((*base, "derived", name), "A derived column", (), derived.decision)
    for name, column in table.columns.items():
        many = len(set(column.codes.values())) < len(column.codes)
        if many or column.decision:
            what = "A recoding of several codes onto one" if many else ""
            yield Citation((*base, "columns", name), what, (name,), column.decision)
    for analyte, measurement in table.measurements.items():
        yield from _measurement_citations(analyte, measurement, (*base, "measurements", analyte))
    yield from _laboratory_citations(table, (*base, "laboratory"))
    if table.laboratory and table.laboratory.molar_factor:
        keys = (*base, "laboratory", "molar_factor")
        analytes = tuple(dict.fromkeys(table.laboratory.analyte.codes.values()))
        yield Citation(keys, "A molar factor", analytes, table.laboratory.molar_factor.decision)
    for name, instrument in table.instruments.items():
        for index, link in enumerate(instrument.linked):
            place: Keys = (*base, "instruments", name, "linked", index)
            yield Citation(place, "A link between instruments", (name,), link.decision)
    yield from _treatment_citations(table, base)
    if table.duplicates:
        yield Citation((*base, "duplicates"), "A choice between duplicate rows", (), table.duplicates.decision)


def _measurement_citations(analyte: str, measurement: MeasurementMap, keys: Keys) -> Iterator[Citation]:
    if measurement.molar_factor:
        yield Citation((*keys, "molar_factor"), "A molar factor", (analyte,), measurement.molar_factor.decision)
    if measurement.iu_factor:
        yield Citation((*keys, "iu_factor"), "An activity factor", (analyte,), measurement.iu_factor.decision)
    for index, limit in enumerate(measurement.limits):
        yield Citation((*keys, "limits", index), "A limit given by the site", (analyte,), limit.decision)
    if measurement.bridge:
        yield Citation((*keys, "bridge"), "A bridge between assays", (analyte,), measurement.bridge.decision)
    below = measurement.below
    if below and (below.heap is not None or below.limit is not None or below.decision):
        given = below.heap is not None or below.limit is not None
        what = "A fill or limit given by the site" if given else ""
        yield Citation((*keys, "below"), what, (analyte,), below.decision)


def _laboratory_citations(table: TableMap, keys: Keys) -> Iterator[Citation]:
    if table.laboratory is None:
        return
    for analyte, limits in table.laboratory.limits.items():
        for index, limit in enumerate(limits):
            place: Keys = (*keys, "limits", analyte, index)
            yield Citation(place, "A limit given by the site", (analyte,), limit.decision)
    for analyte, molar in table.laboratory.molar_factors.items():
        yield Citation((*keys, "molar_factors", analyte), "A molar factor", (analyte,), molar.decision)
    for analyte, activity in table.laboratory.iu_factors.items():
        yield Citation((*keys, "iu_factors", analyte), "An activity factor", (analyte,), activity.decision)
    for code, confirmed in table.laboratory.confirmed_codes.items():
        named = table.laboratory.analyte.codes.get(code)
        about = (named,) if named else ()
        yield Citation((*keys, "confirmed_codes", code), "A code against LOINC", about, confirmed.decision)
    for analyte, use in table.laboratory.bridge.items():
        yield Citation((*keys, "bridge", analyte), "A bridge between assays", (analyte,), use.decision)


def _treatment_citations(table: TableMap, base: Keys) -> Iterator[Citation]:
    mapping, keys, about = table.treatments, (*base, "treatments"), ("treatments",)
    if mapping is None:
        return
    if mapping.dose and mapping.dose.conversion:
        conversion = mapping.dose.conversion
        yield Citation((*keys, "dose", "conversion"), "A conversion of doses", about, conversion.decision)
    for name, column in (("outcome", mapping.outcome), ("adherence", mapping.adherence)):
        if column is not None:
            many = len(set(column.codes.values())) < len(column.codes)
            if many or column.decision:
                what = "A recoding of several codes onto one" if many else ""
                yield Citation((*keys, name), what, about, column.decision)
    if mapping.complete:
        yield Citation((*keys, "complete"), "A list that is taken for complete", about, mapping.complete.decision)


def superseded(study: Study) -> dict[str, Decision]:
    """Return by id of a decision the one that took its place."""
    return {decision.supersedes: decision for decision in study.decisions if decision.supersedes}


def _log_findings(study: Study) -> Iterator[EmberError]:
    ids = [decision.id for decision in study.decisions]
    for decision in study.decisions:
        for site in [] if decision.sites == ALL else names_of(decision.sites):
            if site not in study.sites:
                allowed = [ALL, *study.sites]
                yield EmberError(
                    f"'{site}' is not a site of the study.",
                    where=f"{decision.place}  sites",
                    allowed=allowed,
                    nearest=nearest_name(site, allowed),
                )
        if decision.supersedes and decision.supersedes not in ids:
            yield EmberError(
                f"'{decision.supersedes}' is not a decision of the log.",
                where=f"{decision.place}  supersedes",
                allowed=ids,
                nearest=nearest_name(decision.supersedes, ids),
            )
    yield from _cycles(study)


def _cycles(study: Study) -> Iterator[EmberError]:
    by_id = {decision.id: decision for decision in study.decisions}
    told: set[str] = set()
    for decision in study.decisions:
        chain = [decision.id]
        while (earlier := by_id[chain[-1]].supersedes) in by_id and earlier not in chain:
            chain.append(earlier)
        if earlier == decision.id and not told & set(chain):
            told.update(chain)
            words = " supersedes ".join([*chain, decision.id])
            yield EmberError(f"The decisions supersede each other: {words}.", where=f"{decision.place}  supersedes")


def _cited_findings(study: Study, site: Site, citation: Citation, cited: str, where: str) -> Iterator[EmberError]:
    decision = next((other for other in study.decisions if other.id == cited), None)
    usable = _usable(study, site, citation)
    if decision is None:
        yield EmberError(
            f"'{cited}' is not a decision of {FILE}.",
            where=where,
            allowed=usable,
            nearest=nearest_name(cited, [other.id for other in study.decisions]),
            fix=f"Log it: a line of {FILE} with {','.join(COLUMNS)}.",
        )
        return
    later = superseded(study).get(cited)
    if later:
        what = f"The decision '{cited}' is superseded by '{later.id}'."
        yield EmberError(what, where=where, allowed=usable, nearest=later.id)
    if not decision.covers_site(site.id):
        what = f"The decision '{cited}' is about {decision.sites}, not about {site.id}."
        yield EmberError(what, where=where, allowed=usable, fix=f"It stands in {decision.place}.")
    if citation.variables and not any(decision.covers_variable(name) for name in citation.variables):
        what = f"The decision '{cited}' is about {decision.variable}, not about {' or '.join(citation.variables)}."
        yield EmberError(what, where=where, allowed=usable, fix=f"It stands in {decision.place}.")


def _usable(study: Study, site: Site, citation: Citation) -> list[str]:
    """Return the decisions that a mapping may cite."""
    gone = superseded(study)
    return [
        decision.id
        for decision in study.decisions
        if decision.id not in gone
        and decision.covers_site(site.id)
        and (not citation.variables or any(decision.covers_variable(name) for name in citation.variables))
    ]


def _uncited(study: Study, site: Site, citation: Citation, where: str) -> EmberError:
    return EmberError(
        f"{citation.what} is a choice, and cites no decision.",
        where=where,
        allowed=_usable(study, site, citation),
        fix=f"Log it in {FILE} and add `decision: <its id>` here.",
    )


def _no_log(uncited: Mapping[str, str]) -> EmberError:
    first, *others = uncited
    more = f"So are those at {', '.join(others[:5])}{' and more' if len(others) > 5 else ''}. " if others else ""
    return EmberError(
        f"{uncited[first]} is a choice, and the study has no {FILE} to say who made it and why.",
        where=first,
        fix=f"{more}Write {FILE} with the header {','.join(COLUMNS)} and cite each line under `decision:`.",
    )
