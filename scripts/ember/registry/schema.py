"""Validate configuration against the closed JSON Schemas of `workflow/schemas`."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from ember.errors import EmberError, nearest_name
from ember.registry.yaml_file import YamlFile

OPEN_POINTS = "open_points"
"""Key under which `ember init` lists what people have to settle; no schema has it."""

SCHEMAS_FOLDER = Path(__file__).parents[3] / "workflow" / "schemas"

TYPES = {
    "object": "keys and values",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}


@cache
def validator(schema: str) -> Draft202012Validator:
    """Return the validator of `workflow/schemas/<schema>.schema.yaml`."""
    text = (SCHEMAS_FOLDER / f"{schema}.schema.yaml").read_text(encoding="utf-8")
    return Draft202012Validator(yaml.load(text, Loader=yaml.CSafeLoader))


def schema_findings(document: YamlFile, schema: str) -> list[EmberError]:
    """Return everything in `document` that its schema does not allow, each once, in the order of the file's keys.

    The open points of a draft are one finding, before all others.
    """
    content = {key: value for key, value in document.content.items() if key != OPEN_POINTS}
    found = sorted(validator(schema).iter_errors(content), key=lambda error: list(map(str, error.path)))
    findings = {str(finding): finding for error in found for finding in _findings(document, error)}
    return [*_open_points(document), *findings.values()]


def _open_points(document: YamlFile) -> Iterator[EmberError]:
    if OPEN_POINTS not in document.content:
        return
    listed = document.content[OPEN_POINTS] or []
    points = [_short(point) for point in (listed if isinstance(listed, list) else [listed])]
    match len(points):
        case 0:
            what = "Every point of the draft is settled:"
        case 1:
            what = "1 point of the draft is open: settle it and"
        case many:
            what = f"{many} points of the draft are open: settle them and"
    yield EmberError(
        f"{what} take `{OPEN_POINTS}:` out.",
        where=document.place((OPEN_POINTS,)),
        fix="\n  ".join(f"- {point}" for point in points),
    )


def _findings(document: YamlFile, error: Any) -> Iterator[EmberError]:
    keys = tuple(error.absolute_path)
    if error.validator == "additionalProperties":
        yield from _unknown_keys(document, error)
    elif error.validator in {"oneOf", "anyOf"} and error.context and "description" not in error.schema:
        # The alternative that was meant is the one of the given type.
        meant = [inner for inner in error.context if inner.validator != "type" or inner.path]
        yield from _findings(document, best_match(meant or error.context))
    elif error.validator == "enum":
        allowed = [str(value) for value in error.validator_value]
        given = str(error.instance)
        yield EmberError(
            f"'{given}' is not allowed here.",
            where=document.place(keys),
            allowed=allowed,
            nearest=nearest_name(given, allowed),
        )
    elif "propertyNames" in error.absolute_schema_path:
        yield EmberError(_sentence(error), where=document.place((*keys, str(error.instance))))
    else:
        yield EmberError(_sentence(error), where=document.place(keys), fix=error.schema.get("description", ""))


def _unknown_keys(document: YamlFile, error: Any) -> Iterator[EmberError]:
    allowed = sorted(error.schema.get("properties", {}))
    for key in sorted(set(error.instance) - set(allowed)):
        yield EmberError(
            f"'{key}' is not a key here.",
            where=document.place((*error.absolute_path, key)),
            allowed=allowed,
            nearest=nearest_name(key, allowed),
        )


def _sentence(error: Any) -> str:
    value: Any = error.validator_value
    if error.validator == "required":
        absent = [key for key in value if key not in error.instance]
        return f"The key {', '.join(repr(key) for key in absent)} is missing."
    if error.validator == "type":
        hint = "; put quotes around text that looks like a number" if value == "string" else ""
        names = [TYPES.get(name, name) for name in ([value] if isinstance(value, str) else value)]
        return f"'{_short(error.instance)}' should be {' or '.join(names)}{hint}."
    if error.validator == "pattern":
        return f"'{_short(error.instance)}' does not have the form {value}."
    if error.validator in {"oneOf", "anyOf"}:
        return "The keys given do not fit together."
    return f"{error.message[:200]}."


def _short(instance: Any) -> str:
    text = str(instance)
    return text if len(text) <= 60 else f"{text[:57]}..."
