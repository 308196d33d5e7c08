"""Freeze a study: bind its extracts, decisions and plan under a label, and hold a final release against it.

Bound are the bytes of every extract and of what is read with it, the decisions, the plan (study, sites, schemes,
analyses, report) and the registry rows it uses. The label of the study, its `release:` and the place of the data are
not: they say nothing about the answer. The code is recorded, so that a report can tell whether it is the same.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ember.errors import EmberError, nearest_name
from ember.provenance.digest import sha256_of_file
from ember.provenance.settings import digest, used_rows
from ember.registry.freezes import COLUMNS, DAMAGED, FOLDER, LOG, Freeze, Unfreezing, freeze_labels
from ember.registry.mixtures import frozen_file
from ember.registry.model import Source, Study
from ember.registry.registry import Registry
from ember.registry.yaml_file import YamlFile
from ember.tables.files import write_json, write_text

UNBOUND = ("label", "release", "data")
OPEN = "open"


def bound_digests(study: Study, registry: Registry) -> dict[str, str]:
    """Return the digest of the decisions, of each part of the plan and of each table of registry rows in use."""
    resolved = study.resolved
    parts: dict[str, Any] = {
        "decisions": resolved["decisions"],
        "study": {key: value for key, value in resolved["study"].items() if key not in UNBOUND},
        "report": resolved["report"],
    }
    kinds = {"sites": "site", "endotypes": "scheme", "verdicts": "verdict", "mixtures": "mixture"}
    for kind, name in {**kinds, "analyses": "analysis"}.items():
        parts.update({f"{name} {key}": content for key, content in resolved.get(kind, {}).items()})
    rows = {**used_rows(study, registry), "thresholds": registry.rows("thresholds")}
    parts.update({f"registry {table}": content for table, content in rows.items()})
    return {name: digest(content) for name, content in parts.items()}


def files_beside(study: Study) -> dict[str, Path]:
    """Return the small files that decide what is read from the extracts, by the names they have in the study."""
    found: dict[str, Path] = {}
    for source in study.sources.values():
        if source.dictionary:
            found[f"dictionary of {source.id}"] = source.dictionary
        if source.query and source.query.endswith(".sql"):
            found[f"query of {source.id}"] = study.folder / source.query
    for name, content in study.mixtures.items():
        if (frozen := frozen_file(study.folder, content)) is not None:
            found[f"frozen mixture of {name}"] = frozen
    for site in study.sites.values():
        for table in site.tables:
            if table.corrections:
                found[f"corrections of {site.id}, {table.name}"] = study.data_folder / table.corrections
    return found


def open_queries(study: Study) -> int:
    """Return the number of open queries in the registers beside the extracts; a site without a register has none."""
    total = 0
    for site in study.sites:
        path = study.data_folder / "queries" / f"{site}.csv"
        if path.is_file():
            with path.open(encoding="utf-8", newline="") as lines:
                total += sum(1 for row in csv.DictReader(lines) if row.get("status") == OPEN)
    return total


def make_freeze(
    study: Study, registry: Registry, label: str, date: str, extracts: Mapping[str, str], code: str
) -> Freeze:
    """Return the freeze of a study as it is now.

    Parameters
    ----------
    extracts : mapping
        SHA-256 of each source.
    code : str
        Digest of the code of every step.
    """
    freeze = Freeze(
        study=study.id,
        label=label,
        date=date,
        extracts=dict(extracts),
        beside={name: _hash_of(path) for name, path in files_beside(study).items()},
        open_queries=open_queries(study),
        bound=bound_digests(study, registry),
        code=code,
    )
    return replace(freeze, digest=_digest_of(freeze))


def write_freeze(study: Study, freeze: Freeze) -> Path:
    """Write a freeze into the study folder, whole or not at all, and never over another one.

    Raises
    ------
    EmberError
        The label is taken.
    """
    path = study.folder / FOLDER / f"{freeze.label}.json"
    waiting = path.with_name(f".{freeze.label}.{os.getpid()}.waiting")
    write_json(freeze.content, waiting)
    try:
        os.link(waiting, path)  # unlike a rename, this never replaces a file
    except FileExistsError:
        raise EmberError(
            f"There is a freeze '{freeze.label}' already, and a freeze is never written over.",
            where=f"{FOLDER}/{freeze.label}.json",
            fix="Choose another label.",
        ) from None
    finally:
        waiting.unlink()
    return path


def write_unfreezing(study: Study, unfreezing: Unfreezing) -> None:
    """Add a line to the log of lifted freezes.

    Raises
    ------
    EmberError
        There is no such freeze, or it has been lifted already.
    """
    known = freeze_labels(study.folder)
    if unfreezing.label not in known:
        raise EmberError(
            f"There is no freeze '{unfreezing.label}'.",
            where=FOLDER,
            allowed=known,
            nearest=nearest_name(unfreezing.label, known),
        )
    lifted = _lifted(study, unfreezing.label)
    if lifted:
        raise EmberError(f"The freeze '{lifted.label}' was lifted on {lifted.date} by {lifted.who}.", where=LOG)
    lines = (*study.unfreezings, unfreezing)
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(
        [COLUMNS, *([vars(line)[name] for name in COLUMNS] for line in lines)]
    )
    write_text(written.getvalue(), study.folder / LOG)


def release_findings(study: Study, registry: Registry, document: YamlFile) -> Iterator[EmberError]:
    """Yield why the release may not be called what study.yaml calls it; extracts are compared where they are hashed.

    Parameters
    ----------
    document : YamlFile
        study.yaml, for places in messages.
    """
    where, shown = document.place(("release",)), document.shown_path.removesuffix("study.yaml")
    if study.release_status != "final":
        if study.freeze:
            fix = "Say `status: final`, or take `freeze:` out."
            yield EmberError("A draft has no freeze.", where=where, fix=fix)
        return
    if study.freeze is None:
        labels = freeze_labels(study.folder)
        fix = f"`ember freeze {study.id} LABEL` makes one; then `release: {{status: final, freeze: LABEL}}`."
        yield EmberError("A final release needs a freeze.", where=where, allowed=labels, fix=fix)
        return
    place = f"{shown}{FOLDER}/{study.freeze}.json"
    labels = freeze_labels(study.folder)
    if study.freeze not in labels:
        yield EmberError(
            f"There is no freeze '{study.freeze}'.",
            where=place,
            allowed=labels,
            nearest=nearest_name(study.freeze, labels),
            fix=f"`ember freeze {study.id} {study.freeze}` makes it.",
        )
        return
    freeze = study.frozen
    if (
        freeze is None
        or freeze.digest != _digest_of(freeze)
        or freeze.label != study.freeze
        or freeze.study != study.id
    ):
        yield EmberError(DAMAGED, where=place, fix="Get the file back, or freeze under another label.")
        return
    lifted = _lifted(study, freeze.label)
    if lifted:
        yield EmberError(
            f"The freeze '{freeze.label}' was lifted on {lifted.date} by {lifted.who}: {lifted.reason}",
            where=f"{shown}{LOG}",
            fix="Freeze again under another label.",
        )
        return
    yield from _differences(study, registry, freeze, place)


def _differences(study: Study, registry: Registry, freeze: Freeze, place: str) -> Iterator[EmberError]:
    beside = {name: _hash_of(path) for name, path in files_beside(study).items()}
    for then, now in ((freeze.bound, bound_digests(study, registry)), (freeze.beside, beside)):
        for name in [*then, *[name for name in now if name not in then]]:
            if then.get(name) != now.get(name):
                yield _changed(freeze, place, f"{_words(name)} {_change(then.get(name), now.get(name))}")
    waiting = open_queries(study)
    if waiting > freeze.open_queries:
        yield _changed(freeze, place, f"{waiting} queries are open and {freeze.open_queries} were")


def extract_findings(study: Study, hashes: Mapping[str, str]) -> list[EmberError]:
    """Return the extracts that are not those of the freeze, where the release is final.

    Parameters
    ----------
    hashes : mapping
        SHA-256 by source, as the files are now; sources that are not in it are not compared.
    """
    if study.release_status != "final" or study.frozen is None:
        return []
    freeze, place = study.frozen, f"{FOLDER}/{study.freeze}.json"
    changed = [name for name, sha256 in hashes.items() if freeze.extracts.get(name) != sha256]
    return [
        _changed(freeze, place, f"the extract {name} {_change(freeze.extracts.get(name), 'now')}") for name in changed
    ]


def _changed(freeze: Freeze, place: str, what: str) -> EmberError:
    return EmberError(
        f"The release is called final, and {what} since it was frozen as '{freeze.label}' on {freeze.date}.",
        where=place,
        fix=f"Take the change back, or lift the freeze with `ember unfreeze {freeze.study} {freeze.label}`.",
    )


def _change(then: str | None, now: str | None) -> str:
    return "was added" if then is None else "is gone" if not now else "changed"


def _words(name: str) -> str:
    kind, _, rest = name.partition(" ")
    words = {"study": "study.yaml", "decisions": "the log of decisions", "report": "report.yaml"}
    if kind == "registry":
        return f"what the study uses of config/registry/{rest}.csv"
    return words.get(name, f"the {name}")


def _lifted(study: Study, label: str) -> Unfreezing | None:
    return next((line for line in study.unfreezings if line.label == label), None)


def _hash_of(path: Path) -> str:
    return sha256_of_file(path) if path.is_file() else ""


def _digest_of(freeze: Freeze) -> str:
    return digest({name: value for name, value in freeze.content.items() if name != "digest"})


def hash_of_extract(study: Study, source: Source) -> str:
    """Return the SHA-256 of an extract: of its file, else of what the last run read (a query, an object store).

    Raises
    ------
    EmberError
        The file is not the one that the table of files declares, or nothing can be hashed.
    """
    if source.path.is_file():
        found = sha256_of_file(source.path)
        if source.sha256 is not None and source.sha256 != found:
            raise EmberError(
                "The file is not the one that the table of files declares: its SHA-256 differs.",
                where=source.shown_path,
            )
        return found
    record = study.workspace / "results" / study.id / "checks" / "inputs" / f"{source.id}.json"
    if record.is_file():
        return str(json.loads(record.read_text(encoding="utf-8"))["sha256"])
    raise EmberError(
        "The extract is no file here and no run has read it, so there is nothing to bind.",
        where=source.shown_path,
        fix=f"`ember run {study.id}` first.",
    )
