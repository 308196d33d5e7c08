"""From files to sources: format, sheets, dictionaries, and how each is to be read."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import python_calamine

from ember.draft.hint import FileDraft, Hint
from ember.draft.text_hints import decimal_hint, delimiter_hint, encoding_hint, header_hint, records, sample_lines
from ember.draft.words import identifier
from ember.errors import EmberError
from ember.extract.packed import unpacked
from ember.extract.text import cell_text
from ember.registry.model import Source

FORMATS = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".tab": "csv", ".dat": "csv", ".xlsx": "excel", ".xls": "excel",
    ".xlsm": "excel", ".ods": "excel", ".sav": "spss", ".zsav": "spss", ".por": "spss_portable", ".dta": "stata",
    ".xpt": "sas_transport", ".sas7bdat": "sas", ".parquet": "parquet", ".feather": "feather", ".arrow": "feather",
}  # fmt: skip
SIGNS = (
    (b"PAR1", "parquet"), (b"$FL", "spss"), (b"HEADER RECORD*******", "sas_transport"), (b"<stata_dta>", "stata"),
    (b"ARROW1", "feather"), (b"\xd0\xcf\x11\xe0", "excel"), (b"PK\x03\x04", "excel"),
)  # fmt: skip
WITHOUT_SIGN = frozenset({"csv", "stata", "spss_portable", "sas"})
FIRST_ROWS = 40
DICTIONARY_NAMES = ("Variable / Field Name", "Field Label")


def is_extract(path: Path) -> bool:
    """Tell whether a file of a folder may be an extract, by its name."""
    inner = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    return not path.name.startswith((".", "~")) and inner.suffix.lower() in {*FORMATS, ".zip"}


def is_dictionary(path: Path) -> bool:
    """Tell whether a file is a REDCap data dictionary rather than an extract."""
    if FORMATS.get(path.suffix.lower()) != "csv":
        return False
    with path.open("rb") as content:
        head = content.read(4096).decode("utf-8-sig", "replace").splitlines()
    return bool(head) and all(name in head[0] for name in DICTIONARY_NAMES)


def files_of(paths: Sequence[Path], prefix: str, folder: Path) -> list[FileDraft]:
    """Return the sources of one site's files; a data dictionary belongs to the extract whose fields it describes.

    Raises
    ------
    EmberError
        A file is empty or of no format that is known.
    """
    dictionaries = [path for path in paths if is_dictionary(path)]
    extracts = [path for path in paths if path not in dictionaries]
    if not extracts:
        raise EmberError(
            "There is no extract, only a data dictionary.", where=str(paths[0].name), fix="Name the export too."
        )
    drafts = [draft for path in extracts for draft in _of_file(path, dictionaries)]
    return [_shown(draft, folder) for draft in _named(drafts, prefix)]


def _shown(draft: FileDraft, folder: Path) -> FileDraft:
    dictionary = draft.dictionary.relative_to(folder).as_posix() if draft.dictionary else ""
    return replace(draft, shown=draft.path.relative_to(folder).as_posix(), shown_dictionary=dictionary)


def _named(drafts: list[FileDraft], prefix: str) -> list[FileDraft]:
    if len(drafts) == 1:
        return [_renamed(drafts[0], prefix)]
    names: list[str] = []
    for draft in drafts:
        sheet = draft.keys.get("sheet")
        stem = identifier(str(sheet) if sheet else draft.path.name.split(".")[0], "table")
        name = f"{prefix}_{stem}"[:60]
        names.append(name if name not in names else f"{name[:56]}_{len(names) + 1}")
    return [_renamed(draft, name) for draft, name in zip(drafts, names, strict=True)]


def _renamed(draft: FileDraft, name: str) -> FileDraft:
    return replace(draft, id=name)


def _of_file(path: Path, dictionaries: Sequence[Path]) -> list[FileDraft]:
    packing = _packing(path)
    if packing is None:
        return _of_plain(path, path.name, dictionaries)
    packed = Source(id="packed", path=path, shown_path=path.name, format="csv", compression=packing.value)
    with unpacked(packed, Path(tempfile.gettempdir())) as plain:
        name = path.name.removesuffix(path.suffix) if packing.value == "gzip" else plain.shown_path
        drafts = _of_plain(plain.path, name, dictionaries)
        return [replace(draft, path=path, hints=(draft.hints[0], packing, *draft.hints[1:])) for draft in drafts]


def _packing(path: Path) -> Hint | None:
    if _start(path).startswith(b"\x1f\x8b"):
        return Hint("compression", "gzip", "the first bytes of the file are those of gzip", 0.99)
    if _start(path).startswith(b"PK\x03\x04") and path.suffix.lower() == ".zip":
        return Hint("compression", "zip", "the file is a zip archive", 0.99)
    return None


def _start(path: Path) -> bytes:
    with path.open("rb") as content:
        return content.read(32)


def _of_plain(path: Path, name: str, dictionaries: Sequence[Path]) -> list[FileDraft]:
    form = _format(path, name)
    if form.value == "csv":
        return [_text_file(path, form, dictionaries)]
    if form.value == "excel":
        return _sheets(path, form)
    return [FileDraft("", path, (form,))]


def _format(path: Path, name: str) -> Hint:
    start = _start(path)
    if not start:
        raise EmberError("The file is empty: it has 0 bytes.", where=name, fix="Export it again.")
    signed = next((form for sign, form in SIGNS if start.startswith(sign)), None)
    if signed:
        return Hint("format", signed, f"the first bytes of the file are those of {signed}", 0.99)
    suffix = Path(name).suffix.lower()
    named = FORMATS.get(suffix)
    if named is not None and named not in WITHOUT_SIGN:
        raise EmberError(f"The name ends in {suffix}, but the file does not start like one.", where=name)
    if named is None:
        raise EmberError("Neither the name nor the first bytes tell the format.", where=name, allowed=sorted(FORMATS))
    return Hint("format", named, f"the name ends in {suffix}", 0.9)


def _text_file(path: Path, form: Hint, dictionaries: Sequence[Path]) -> FileDraft:
    encoding = encoding_hint(path)
    lines = sample_lines(path, encoding.value)
    delimiter = delimiter_hint(lines)
    rows = records(lines, delimiter.value)
    header = header_hint(rows)
    decimal = decimal_hint(rows[header.value :], delimiter.value)
    keys = {}
    if header.value == 0:
        keys["names"] = [f"column_{place}" for place in range(1, max(map(len, rows)) + 1)]
    names = rows[header.value - 1] if header.value and rows else []
    dictionary = next((path for path in dictionaries if _describes(path, names)), None)
    return FileDraft("", path, (form, encoding, delimiter, decimal, header), keys, dictionary)


def _describes(dictionary: Path, names: Sequence[str]) -> bool:
    rows = records(sample_lines(dictionary, "utf-8"), ",")
    fields = {row[0].strip() for row in rows[1:]}
    return bool(fields & {name.split("___")[0].strip() for name in names})


def _sheets(path: Path, form: Hint) -> list[FileDraft]:
    try:
        with python_calamine.CalamineWorkbook.from_path(str(path)) as book:
            heads = {name: _head(book, name) for name in book.sheet_names}
    except (python_calamine.CalamineError, OSError):
        raise EmberError(
            "The workbook cannot be read.", where=path.name, fix="Open it in Excel and save it again as .xlsx."
        ) from None
    drafts = []
    for name, rows in heads.items():
        if max((sum(1 for cell in row if cell.strip()) for row in rows), default=0) < 2:
            continue
        drafts.append(FileDraft("", path, (form, header_hint(rows)), {"sheet": name}))
    if not drafts:
        raise EmberError("No sheet of the workbook holds a table.", where=path.name)
    return drafts


def _head(book: python_calamine.CalamineWorkbook, name: str) -> list[list[str]]:
    rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False, nrows=FIRST_ROWS)
    return [[cell_text(cell) for cell in row] for row in rows]
