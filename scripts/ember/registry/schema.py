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

SCHEMAS_FOLDER = Path(__file__).parents[3] / "workflow" / "schemas"


@cache
def validator(schema: str) -> Draft202012Validator:
    """Return the validator of `workflow/schemas/<schema>.schema.yaml`."""
    text = (SCHEMAS_FOLDER / f"{schema}.schema.yaml").read_text(encoding="utf-8")
    return Draft202012Validator(yaml.load(text, Loader=yaml.CSafeLoader))


def schema_findings(document: YamlFile, schema: str) -> list[EmberError]:
    """Return everything in `document` that its schema does not allow."""
    found = sorted(validator(schema).iter_errors(document.content), key=lambda error: list(map(str, error.path)))
    return [finding for error in found for finding in _findings(document, error)]


def _findings(document: YamlFile, error: Any) -> Iterator[EmberError]:
    keys = tuple(error.absolute_path)
    if error.validator == "additionalProperties":
        allowed = sorted(error.schema.get("properties", {}))
        for key in sorted(set(error.instance) - set(allowed), key=str):
            place = document.place((*keys, key))
            yield EmberError(
                f"'{key}' is not a key here.", where=place, allowed=allowed, nearest=nearest_name(str(key), allowed)
            )
        return
    if error.validator in {"oneOf", "anyOf"} and error.context:
        inner = best_match(error.context)
        yield EmberError(_sentence(inner or error), where=document.place(keys), fix=error.schema.get("description", ""))
        return
    if error.validator == "enum":
        allowed = [str(value) for value in error.validator_value]
        given = str(error.instance)
        yield EmberError(
            f"'{given}' is not allowed here.",
            where=document.place(keys),
            allowed=allowed,
            nearest=nearest_name(given, allowed),
        )
        return
    yield EmberError(_sentence(error), where=document.place(keys), fix=error.schema.get("description", ""))


def _sentence(error: Any) -> str:
    value: Any = error.validator_value
    if error.validator == "required":
        absent = [key for key in value if key not in error.instance]
        return f"The key {', '.join(repr(key) for key in absent)} is missing."
    if error.validator == "type":
        return f"'{error.instance}' should be of the type {value}; put quotes around text that looks like a number."
    if error.validator == "pattern":
        return f"'{error.instance}' does not have the form {value}."
    return f"{error.message[:200]}."
