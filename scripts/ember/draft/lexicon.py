"""What a name may mean: the registry's names, in many languages, held against headers, labels and cells."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from ember.draft.proposal import Guess, capped
from ember.draft.words import squeezed, words_of
from ember.registry.registry import Registry

# What the place of a match is worth, as a share of what the registry says the name is worth.
INSIDE, SHORTENED = 0.92, 0.68
LEAST_SHORTENING = 3
LEAST_INSIDE = 3


@dataclass(frozen=True)
class Name:
    """One name of the registry table."""

    target: str
    text: str
    words: tuple[str, ...]
    joined: str
    language: str
    confidence: float


@dataclass(frozen=True)
class Lexicon:
    """The names of each kind, and the words that change nothing or everything in a name."""

    names: dict[str, list[Name]]
    neutral: frozenset[str]
    other: frozenset[str]
    index: dict[tuple[str, str], list[Name]]
    by_target: dict[tuple[str, str], list[Name]]

    def meanings(self, kind: str, text: str, free: Collection[str] = (), target: str = "") -> list[Guess]:
        """Return what a header or a label may mean, the best guess for each target, best first.

        Parameters
        ----------
        kind : str
            Kind of names: variable, role, analyte, instrument, visit, answer, missing, unit.
        free : collection of str
            Words of the text that are explained already, such as its unit.
        target : str
            Hold the text against the names of this target alone.
        """
        found: dict[str, Guess] = {}
        for guess in self._matches(
            self.by_target.get((kind, target), []) if target else self.names[kind], text, frozenset(free)
        ):
            if guess.target not in found or guess.confidence > found[guess.target].confidence:
                found[guess.target] = guess
        return sorted(found.values(), key=lambda guess: -guess.confidence)

    def whole(self, kind: str, text: str) -> list[Guess]:
        """Return the meanings of a text that is a name as a whole."""
        joined = squeezed(text)
        exact = [name for name in self.index.get((kind, joined), ()) if _same(name, text, joined)]
        return [Guess(name.target, name.confidence, self._why(name, text, "is")) for name in exact]

    def _matches(self, names: Sequence[Name], text: str, free: frozenset[str]) -> Iterator[Guess]:
        words, joined = words_of(text), squeezed(text)
        if not joined:
            return
        left = tuple(word for word in words if word not in free)
        for name in names:
            if _same(name, text, joined) or (left and "".join(left) == name.joined):
                yield Guess(name.target, name.confidence, self._why(name, text, "is"))
            elif len(name.joined) >= LEAST_INSIDE and (place := _inside(name.words, left)) is not None:
                yield from self._partial(name, text, left, place)
            elif self._shortened(name, left):
                worth = capped(name.confidence * SHORTENED)
                yield Guess(name.target, worth, self._why(name, text, "may be short for"))

    def _partial(self, name: Name, text: str, left: tuple[str, ...], place: tuple[int, int]) -> Iterator[Guess]:
        rest = left[: place[0]] + left[place[1] :]
        if any(word in self.other for word in rest):
            return
        strange = [word for word in rest if word not in self.neutral and not word.isdigit()]
        worth = name.confidence * INSIDE - 0.35 * len(strange) - 0.25 * sum(word.isdigit() for word in rest)
        if worth > 0:
            yield Guess(name.target, capped(worth), self._why(name, text, "holds"))

    def _shortened(self, name: Name, left: tuple[str, ...]) -> bool:
        core = [word for word in left if word not in self.neutral]
        return (
            len(core) == 1
            and len(core[0]) >= LEAST_SHORTENING
            and len(name.joined) - len(core[0]) >= 2
            and any(word.startswith(core[0]) for word in (name.joined, *_content(name, self.neutral)))
        )

    def _why(self, name: Name, text: str, verb: str) -> str:
        language = "" if name.language in {"any", "English"} else f" ({name.language})"
        return f"'{text.strip()}' {verb} '{name.text}'{language}"


def _content(name: Name, neutral: frozenset[str]) -> list[str]:
    # `rand` is short for randomisation in "date of randomisation", `dat` is not short for it.
    core = [word for word in name.words if word not in neutral]
    return core if len(core) == 1 else []


def _same(name: Name, text: str, joined: str) -> bool:
    return name.joined == joined if name.joined else name.text == text.strip()


def _inside(part: Sequence[str], whole: Sequence[str]) -> tuple[int, int] | None:
    if not part or len(part) >= len(whole):
        return None
    starts = range(len(whole) - len(part) + 1)
    return next(((at, at + len(part)) for at in starts if tuple(whole[at : at + len(part)]) == tuple(part)), None)


def lexicon_of(registry: Registry) -> Lexicon:
    """Return the registry's names, ready for comparison."""
    names: dict[str, list[Name]] = defaultdict(list)
    for row in registry.rows("variable_names"):
        made = Name(
            row["target"],
            row["name"],
            words_of(row["name"]),
            squeezed(row["name"]),
            row["language"],
            float(row["confidence"]),
        )
        names[row["kind"]].append(made)
    words = {target: frozenset(_words(names["word"], target)) for target in ("neutral", "other")}
    index: dict[tuple[str, str], list[Name]] = defaultdict(list)
    by_target: dict[tuple[str, str], list[Name]] = defaultdict(list)
    for kind, made_names in names.items():
        for name in made_names:
            index[kind, name.joined].append(name)
            by_target[kind, name.target].append(name)
    return Lexicon(dict(names), words["neutral"], words["other"], dict(index), dict(by_target))


def _words(names: list[Name], target: str) -> list[str]:
    return [word for name in names if name.target == target for word in name.words]
