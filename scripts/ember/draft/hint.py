"""What a file seems to be: a key of its source in study.yaml, with the evidence."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ember.registry.model import Source

DEFAULTS = {"encoding": "utf-8", "delimiter": ",", "decimal": ".", "header_row": 1}


@dataclass(frozen=True)
class Hint:
    """One key of a source. With `alternatives` it is open: the value only serves to look at the file."""

    key: str
    value: Any
    evidence: str
    confidence: float
    alternatives: tuple[str, ...] = ()


@dataclass(frozen=True)
class FileDraft:
    """One source as it will stand in study.yaml; `shown` is its path relative to the data folder."""

    id: str
    path: Path
    hints: tuple[Hint, ...]
    keys: dict[str, Any] = field(default_factory=dict)
    dictionary: Path | None = None
    shown: str = ""
    shown_dictionary: str = ""

    def source(self, shown: str) -> Source:
        """Return the source as the readers take it."""
        keys = {**{hint.key: hint.value for hint in self.hints}, **self.keys}
        if "names" in keys:
            keys["names"] = tuple(keys["names"])
        return Source(id=self.id, path=self.path, shown_path=shown, file=shown, dictionary=self.dictionary, **keys)

    def entries(self) -> dict[str, Any]:
        """Return the keys of the source other than its path, without those that say the default."""
        keys = {**{hint.key: hint.value for hint in self.hints}, **self.keys}
        order: tuple[str, ...] = (
            "format",
            "compression",
            "member",
            "encoding",
            "delimiter",
            "decimal",
            "thousands",
            "sheet",
        )
        order += ("header_row", "header_rows", "names")
        return {key: keys[key] for key in order if key in keys and DEFAULTS.get(key) != keys[key]}
