"""Cross-check one source: keys that its format needs or cannot have, and paths that lead out of the data folder."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ember.errors import EmberError
from ember.registry.model import Source, Study
from ember.registry.stores import scheme_of
from ember.registry.yaml_file import Keys, YamlFile

TEXT, SHEETS = {"csv"}, {"excel"}
# What a key belongs to: the formats, and how to say it.
KEYS_OF_FORMATS: Mapping[str, tuple[set[str], str]] = {
    "delimiter": (TEXT, "text files"),
    "decimal": (
        TEXT | SHEETS | {"sql"},
        "text files, spreadsheets and queries; the other formats hold numbers as numbers",
    ),
    "thousands": (
        TEXT | SHEETS | {"sql"},
        "text files, spreadsheets and queries; the other formats hold numbers as numbers",
    ),
    "encoding": (
        TEXT | {"spss", "stata", "sas", "sas_transport"},
        "text files and files of statistical packages; the other formats know their own",
    ),
    "sheet": (SHEETS, "spreadsheets (format: excel)"),
    "header_row": (TEXT | SHEETS, "text files and spreadsheets; the other formats know their columns"),
    "header_rows": (TEXT | SHEETS, "text files and spreadsheets; the other formats know their columns"),
    "names": (TEXT | SHEETS, "text files and spreadsheets; the other formats know their columns"),
}
OUTSIDE = re.compile(r"^[/\\~]|^[A-Za-z]:|(^|[/\\])\.\.([/\\]|$)|\x00")


def source_key_findings(study: Study, source: Source, document: YamlFile) -> Iterator[EmberError]:
    """Yield each key of a source that its format does not have, or lacks.

    Parameters
    ----------
    document : YamlFile
        study.yaml, for the places.
    """
    keys: Keys = ("sources", source.id)
    entry = _chosen(study, source)
    form = entry["format"]
    for key, (formats, words) in KEYS_OF_FORMATS.items():
        if key in entry and form not in formats:
            yield EmberError(
                f"`{key}:` is a key of {words}.", where=document.place((*keys, key)), fix=f"Take out `{key}:`."
            )
    if form == "excel" and "sheet" not in entry:
        yield EmberError("An Excel source needs its `sheet:`.", where=document.place(keys))
    if "member" in entry and entry.get("compression") != "zip":
        yield EmberError(
            "`member:` is the name of a file inside a zip.",
            where=document.place((*keys, "member")),
            fix="Write `compression: zip`, or take out `member:`.",
        )
    if "thousands" in entry and source.thousands == source.decimal:
        yield EmberError(
            f"'{source.thousands}' cannot be the mark between thousands and the decimal mark.",
            where=document.place((*keys, "thousands")),
            fix="Say `decimal:` as it is in the file.",
        )
    yield from _header_findings(entry, document, keys)


def _header_findings(entry: Mapping[str, Any], document: YamlFile, keys: Keys) -> Iterator[EmberError]:
    headless = entry.get("header_row", 1) == 0
    if headless and "names" not in entry:
        yield EmberError(
            "`header_row: 0` says that the file has no column names.",
            where=document.place((*keys, "header_row")),
            fix="Give them, in order, as `names:`.",
        )
    if "names" in entry and not headless:
        yield EmberError(
            "`names:` is for a file without column names.",
            where=document.place((*keys, "names")),
            fix="Write `header_row: 0` if it has none, or take out `names:`.",
        )
    if headless and entry.get("header_rows", 1) > 1:
        yield EmberError(
            "A file without column names has no `header_rows:`.", where=document.place((*keys, "header_rows"))
        )
    repeated = {name for name in entry.get("names", ()) if entry["names"].count(name) > 1}
    if repeated:
        yield EmberError(
            f"Names stand more than once: {', '.join(sorted(repeated))}.", where=document.place((*keys, "names"))
        )


def path_findings(study: Study, source: Source, documents: Mapping[str, Any]) -> Iterator[EmberError]:
    """Yield each path of a source that does not lie in the data folder, and each member that leads out of its archive.

    Notes
    -----
    Only what is written counts: a link inside the data folder was put there by whoever keeps the data. The
    address of an object in a store is no path, and `build.py` looks at it.
    """
    keys: Keys = ("sources", source.id)
    entry = study.resolved["study"]["sources"][source.id]
    written = [((*keys, key), entry[key]) for key in ("path", "dictionary", "supersedes", "member") if key in entry]
    for name, variant in entry.get("variants", {}).items():
        written += [((*keys, "variants", name, key), variant[key]) for key in ("path", "member") if key in variant]
    for place, path in written:
        if leads_out(path) and not (place[-1] == "path" and scheme_of(path)):
            yield _outside(documents["study"].place(place), "archive" if place[-1] == "member" else "data folder")
    for site in study.sites.values():
        document = documents["sites"][site.id]
        for table in site.tables:
            if table.source == source.id and table.corrections and leads_out(table.corrections):
                base: Keys = ("tables", table.name) if "tables" in document.content else ()
                yield _outside(document.place((*base, "corrections")), "data folder")


def leads_out(path: str) -> bool:
    """Return whether a path is absolute or climbs."""
    return OUTSIDE.search(path) is not None


def _chosen(study: Study, source: Source) -> dict[str, Any]:
    entry = study.resolved["study"]["sources"][source.id]
    chosen: dict[str, Any] = {**entry, **entry.get("variants", {}).get(source.variant, {})}
    return chosen


def _outside(where: str, folder: str) -> EmberError:
    return EmberError(
        f"The path leads out of the {folder}.", where=where, fix=f"Write it relative to the {folder}, without `..`."
    )
