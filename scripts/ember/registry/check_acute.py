"""Cross-check the ways in which an analysis uses values above the acute cut."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ember.errors import EmberError
from ember.registry.known import unknown
from ember.registry.model import Study
from ember.registry.yaml_file import YamlFile


def acute_findings(study: Study, analysis: dict[str, Any], document: YamlFile) -> Iterator[EmberError]:
    """Yield what does not fit together in `acute_samples:`."""
    declared = analysis.get("acute_samples")
    if declared is None:
        return
    keys = ("acute_samples", "scheme")
    yield from unknown(declared["scheme"], study.schemes, "an endotype scheme of the study", document, keys)
    scheme, exposure = study.schemes.get(declared["scheme"]), analysis.get("exposure")
    if exposure is None:
        yield EmberError("The ways are those of an `exposure:`.", where=document.place(("acute_samples",)))
    elif scheme is not None and scheme["analyte"] != exposure["analyte"]:
        yield EmberError(
            f"The scheme {declared['scheme']} says what is acute of {scheme['analyte']}, and the exposure is "
            f"{exposure['analyte']}.",
            where=document.place(keys),
        )
    written = study.resolved["study"]["analyses"]
    for way in declared["ways"]:
        name = f"{analysis['analysis']}_{way}"
        if name in written:
            yield EmberError(
                f"The way {way} would have the name of another analysis, {name}.",
                where=document.place(("acute_samples", "ways")),
            )
