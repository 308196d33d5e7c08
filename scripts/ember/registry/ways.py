"""An analysis that is run several ways over values above the acute cut becomes one analysis a way."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ember.registry.yaml_file import YamlFile

ALL = "all"
AT_MOST = "at_most_10"
REPEAT = "repeat_only"
TITLES = {
    AT_MOST: "without values above the acute cut",
    REPEAT: "a value above the acute cut only through its repeat",
}


def with_ways(analyses: Mapping[str, YamlFile]) -> dict[str, YamlFile]:
    """Return the analyses, each followed by those of its further ways.

    Notes
    -----
    The analysis as it is written keeps everybody (`all`). Each further way is an analysis of its own with the same
    models, so it has its own set, flow and estimates, and none of them can take the place of the one that was planned.
    """
    found: dict[str, YamlFile] = {}
    for name, document in analyses.items():
        found[name] = document
        for way in document.content.get("acute_samples", {}).get("ways", ()):
            if way in TITLES:
                found[f"{name}_{way}"] = YamlFile(
                    document.path, document.shown_path, _content(document.content, way), document.places
                )
    return found


def _content(content: Mapping[str, Any], way: str) -> dict[str, Any]:
    estimand = content["estimand"]
    changed = {
        "analysis": f"{content['analysis']}_{way}",
        "title": f"{content['title']}, {TITLES[way]}",
        "role": "descriptive" if content["role"] == "descriptive" else "secondary",
        "estimand": {**estimand, "population": f"{estimand['population']}, {TITLES[way]}"},
        "acute_way": way,
        "way_of": content["analysis"],
    }
    return {**content, **changed}


def base_of(analysis: str, analyses: Collection[str]) -> str | None:
    """Return the analysis of which this one is a further way, or None."""
    for way in TITLES:
        base = analysis.removesuffix(f"_{way}")
        if base != analysis and base in analyses:
            return base
    return None
