"""The study folder of a twin of the demonstration: the demonstration's own files, with a verdict about types."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ember.errors import EmberError
from ember.simulate.design import Truth

DATA = "data"
VERDICT = "inflamed_type"
COPIED = ("*.yaml", "*.csv", "sites/*.yaml", "endotypes/*.yaml", "analyses/*.yaml")


def twin_files(demo: Path, truth: Truth) -> dict[str, str]:
    """Return the files of the study by name: those of the demonstration, its data beside them.

    Raises
    ------
    EmberError
        The demonstration's study.yaml no longer has a line that has to change.
    """
    found = {
        path.relative_to(demo).as_posix(): path.read_text(encoding="utf-8")
        for pattern in COPIED
        for path in sorted(demo.glob(pattern))
    }
    return {**found, "study.yaml": twin_study(found["study.yaml"], truth)}


def twin_study(text: str, truth: Truth) -> str:
    """Return the demonstration's study.yaml as that of a twin: another name, own data, and a verdict."""
    lines = text.splitlines(keepends=True)
    lines[0] = lines[0].replace("resources/demo/README.md", f"{DATA}/README.md")
    changes: Mapping[str, str] = {
        "study:": f"study: demo_{truth.name}\n",
        "title:": f"title: 'Twin of the demonstration: {truth.label}'\n",
        "question:": "question: Is the inflamed endotype a type?\n",
        "data:": f"data: {{folder: {DATA}}}\n",
        "analyses:": f"verdicts: [{VERDICT}]\n{{line}}",
    }
    for start, change in changes.items():
        places = [number for number, line in enumerate(lines) if line.startswith(start)]
        if len(places) != 1:
            raise EmberError(
                f"The demonstration's study.yaml has no single line '{start}'.", where="config/studies/demo/study.yaml"
            )
        lines[places[0]] = change.format(line=lines[places[0]]) if "{line}" in change else change
    return "".join(lines)
