"""The finding that a name in a study file leads nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ember.errors import EmberError, nearest_name
from ember.registry.yaml_file import Keys, YamlFile


def unknown(given: str, allowed: Iterable[str], what: str, document: YamlFile, keys: Keys) -> Iterator[EmberError]:
    """Yield one finding if `given` is not among `allowed`; `what` completes "'…' is not …"."""
    names = list(allowed)
    if given not in names:
        yield EmberError(
            f"'{given}' is not {what}.", where=document.place(keys), allowed=names, nearest=nearest_name(given, names)
        )
