"""Do the joins of the sources lead anywhere?"""

from __future__ import annotations

from collections.abc import Iterator

from ember.errors import EmberError
from ember.registry.known import unknown
from ember.registry.model import Source, Study
from ember.registry.yaml_file import YamlFile


def join_findings(study: Study, source: Source, document: YamlFile) -> Iterator[EmberError]:
    """Yield each join that names no source, the source itself, or a source that joins another one.

    Parameters
    ----------
    document : YamlFile
        study.yaml, for the places.
    """
    brought: set[str] = set()
    for index, join in enumerate(source.joins):
        keys = ("sources", source.id, "join", index, "source")
        yield from unknown(join.source, study.sources, "a source of the study", document, keys)
        if join.source == source.id:
            yield EmberError("The source joins itself.", where=document.place(keys))
        elif join.source in study.sources and study.sources[join.source].joins:
            yield EmberError(
                f"'{join.source}' itself joins a source: only one step is read.",
                where=document.place(keys),
                fix="Join each source here, with the columns that lead to it.",
            )
        twice = [name for name in join.columns if name in brought]
        if twice:
            yield EmberError(
                f"Two joins bring the columns {', '.join(twice)}.",
                where=document.place(("sources", source.id, "join", index, "columns")),
            )
        brought.update(join.columns)


def joined_by(study: Study, source: str) -> list[str]:
    """Return the sources that bring columns of a source to their rows."""
    return [other.id for other in study.sources.values() if any(join.source == source for join in other.joins)]
