"""Endotype schemes as files: the shipped ones, a study's own, and what a study's own takes from a shipped one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ember.errors import EmberError, nearest_name
from ember.registry.model import Visit
from ember.registry.preset import merged
from ember.registry.yaml_file import YamlFile, read_yaml

SHIPPED = Path("config/registry/schemes")
SHIPPED_VERDICTS = Path("config/registry/verdicts")
PERSISTENT_ABOVE = "persistent_above_10"


def shipped_names(project: Path) -> list[str]:
    """Return the schemes that a study can name without a file of its own."""
    return sorted(path.stem for path in (project / SHIPPED).glob("*.yaml"))


def shipped_scheme(project: Path, name: str) -> YamlFile:
    """Read a shipped scheme."""
    file = SHIPPED / f"{name}.yaml"
    return read_yaml(project / file, str(file))


def with_shipped(document: YamlFile, project: Path, findings: list[EmberError]) -> YamlFile | None:
    """Return a study's own scheme with what it takes over by `like:`, or None where that is not there.

    Notes
    -----
    Two definitions under one name would let a reader take one for the other, so a scheme of the study that carries
    the name of a shipped one has to say why under `overrides:`.
    """
    content, shipped = document.content, shipped_names(project)
    name = str(content.get("scheme"))
    if name in shipped and "overrides" not in content:
        findings.append(
            EmberError(
                f"'{name}' is the name of a shipped scheme, and this file defines it anew.",
                where=document.place(("scheme",)),
                fix="Delete the file to use the shipped scheme, give this one another name, or say why under "
                "`overrides:`.",
            )
        )
        return None
    if name not in shipped and "overrides" in content:
        findings.append(EmberError(f"There is no shipped scheme '{name}'.", where=document.place(("overrides",)),
                                   allowed=shipped))  # fmt: skip
    like = content.get("like")
    if like is None:
        return document
    if like not in shipped:
        findings.append(
            EmberError(
                f"There is no shipped scheme '{like}'.",
                where=document.place(("like",)),
                allowed=shipped,
                nearest=nearest_name(str(like), shipped),
            )
        )
        return None
    base = shipped_scheme(project, str(like))
    places = {**base.places, **document.places}
    return YamlFile(document.path, document.shown_path, merged(base.content, content), places)


def resolved_scheme(content: Mapping[str, Any], visits: Sequence[Visit]) -> dict[str, Any]:
    """Return a scheme as the steps use it: with its visit, and with all states that it counts as inflamed."""
    counted = [PERSISTENT_ABOVE] if content["persistent_above_10"] == "in" else []
    return {
        **content,
        "visit": content.get("visit") or baseline_visit(content["samples"], visits),
        "inflamed": [*content["inflamed"], *counted],
    }


def baseline_visit(samples: Mapping[str, int], visits: Sequence[Visit]) -> str:
    """Return the last visit whose window meets that of the samples; "" where there is none."""
    meeting = [visit for visit in visits if visit.first <= samples["to"] and visit.last >= samples["from"]]
    return max(meeting, key=lambda visit: (visit.first, visit.day)).id if meeting else ""
