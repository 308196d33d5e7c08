"""Cross-check the LOINC codes of a site file: check digit, and name against the registry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ember.errors import EmberError
from ember.registry.known import unknown
from ember.registry.loinc import KnownCode, is_valid, known_codes, looks_like_loinc
from ember.registry.model import LaboratoryMap, TableMap
from ember.registry.registry import Registry
from ember.registry.yaml_file import Keys, YamlFile

AMOUNT = "moles_volume"
MASS = "mass_volume"


def loinc_findings(table: TableMap, registry: Registry, document: YamlFile, base: Keys) -> Iterator[EmberError]:
    """Yield LOINC codes that are mistyped or belong to another analyte than the site file says.

    Notes
    -----
    A valid code that the registry does not know is the site's to map: nothing speaks against it. A code of the file
    that is wrong there (nobody can change the file) is used once `confirmed_codes:` says why.
    """
    known = known_codes(registry)
    for analyte, mapping in table.measurements.items():
        if mapping.loinc is not None:
            place = document.place((*base, "measurements", analyte, "loinc"))
            right = _codes_of(analyte, known)
            yield from _code_findings(mapping.loinc, analyte, known, registry, place, _instead(analyte, right))
            yield from _property_findings(mapping.loinc, mapping.unit, known, place)
    if table.laboratory:
        yield from _laboratory_findings(table.laboratory, known, registry, document, (*base, "laboratory"))


def _laboratory_findings(
    laboratory: LaboratoryMap, known: Mapping[str, KnownCode], registry: Registry, document: YamlFile, keys: Keys
) -> Iterator[EmberError]:
    codes = laboratory.analyte.codes
    fix = (
        "Map it to what it is. If the laboratory uses it for this, say so under `confirmed_codes: {'%s': {reason: …}}`."
    )
    for code in laboratory.confirmed_codes:
        place = (*keys, "confirmed_codes", code)
        yield from unknown(code, codes, "a code of `analyte:`", document, place)
        if code in codes and not any(_code_findings(code, codes[code], known, registry, "", "")):
            yield EmberError(f"Nothing speaks against {code} as {codes[code]}.", where=document.place(place))
    for code, analyte in codes.items():
        if looks_like_loinc(code) and code not in laboratory.confirmed_codes:
            place_of_code = document.place((*keys, "analyte", "codes", code))
            yield from _code_findings(code, analyte, known, registry, place_of_code, fix % code)


def _code_findings(
    code: str, analyte: str, known: Mapping[str, KnownCode], registry: Registry, where: str, fix: str
) -> Iterator[EmberError]:
    if not is_valid(code):
        yield EmberError(f"'{code}' is no LOINC code: its check digit is wrong.", where=where, fix=fix)
        return
    meant = known.get(code)
    if meant is None or meant.analyte == analyte or not registry.has("analytes", analyte):
        return
    label = registry.row("analytes", analyte)["label"]
    of = f"{meant.name} ({meant.analyte})" if meant.analyte else f"{meant.name}, which the registry does not have"
    yield EmberError(f"LOINC {code} is {of}, not {label} ({analyte}).", where=where, fix=fix)


def _property_findings(code: str, unit: str | None, known: Mapping[str, KnownCode], where: str) -> Iterator[EmberError]:
    """Yield a code of an amount of substance with a unit of mass, and the reverse."""
    stated = known[code].property if code in known else None
    if unit is None or stated not in (AMOUNT, MASS):
        return
    measured = AMOUNT if "mol" in unit.lower() else MASS
    if measured != stated:
        words = {AMOUNT: "an amount of substance", MASS: "a mass"}
        yield EmberError(
            f"LOINC {code} is {words[stated]} a volume, and '{unit}' is {words[measured]}.",
            where=where,
            fix="State the code of the kind of quantity that the file holds.",
        )


def _codes_of(analyte: str, known: Mapping[str, KnownCode]) -> list[str]:
    return [code for code, meant in known.items() if meant.analyte == analyte]


def _instead(analyte: str, codes: list[str]) -> str:
    return f"Codes of {analyte}: {', '.join(codes)}." if codes else f"The registry knows no code of {analyte}."
