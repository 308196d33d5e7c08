"""How much results of one person vary, as published: on the log scale or not at all."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ember.errors import EmberError

REPEATS = "repeats"
MULTIPLICATIVE = ("cv", "ln_sd")


def ln_sd(row: Mapping[str, str], assay_cv: float | None, where: str = "usual_level.within_person") -> float:
    """Return the SD of the natural logarithm of samples about a person's usual level.

    Parameters
    ----------
    row : mapping
        A row of config/registry/within_person.csv.
    assay_cv : float or None
        Coefficient of variation of the assay; added where the published figure leaves the assay out.

    Raises
    ------
    EmberError
        The figure is an SD in the analyte's unit, or it leaves out the assay and no `assay_cv` is declared.

    Notes
    -----
    A log-normal variable with the coefficient of variation c has ln SD = sqrt(ln(1 + c^2)). An SD in mg/L says
    nothing of the kind: 0.36 mg/L is a third of a level of 1 and a thirtieth of one of 10.
    """
    value = float(row["value"])
    if row["measure"] not in MULTIPLICATIVE:
        raise EmberError(f"'{row['within_person']}' is an additive error and none of the logarithm.", where=where)
    if row["includes_assay"] != "true" and assay_cv is None:
        raise EmberError(f"'{row['within_person']}' leaves out the error of the assay.", where=where)
    biology = value**2 if row["measure"] == "ln_sd" else np.log1p(value**2)
    assay = 0.0 if row["includes_assay"] == "true" or assay_cv is None else np.log1p(assay_cv**2)
    return float(np.sqrt(biology + assay))
