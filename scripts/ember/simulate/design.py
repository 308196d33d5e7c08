"""What the synthetic consortium is made of: sites, effects and shapes, all known because they are written here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ember.errors import EmberError, nearest_name

VISITS = ("baseline", "week_4", "week_12")
SAMPLED = ("baseline", "week_12")
ANALYTES = ("hscrp", "il6", "tnf")


@dataclass(frozen=True)
class Reporting:
    """How a laboratory writes the results of one analyte.

    Parameters
    ----------
    unit : str
        Unit of the text.
    factor : float
        Number in the file = canonical value x factor.
    decimals : int
        Digits after the decimal point.
    limit : float
        Detection limit in the unit of the file.
    cap : float, optional
        Results above it are written as ">cap".
    """

    unit: str
    factor: float
    decimals: int
    limit: float
    cap: float | None = None


@dataclass(frozen=True)
class SiteDesign:
    """One site: its questionnaire, its level of severity, its slope, its laboratory.

    Parameters
    ----------
    number : int
        Position of the site's random stream; fixed, so that a site does not depend on the others.
    slope : float
        Change of the treatment effect on latent week-12 severity (reference SD) per doubling of hsCRP.
    """

    id: str
    number: int
    instrument: str
    participants: int
    level: float
    slope: float
    crp_level: float
    laboratory: Mapping[str, Reporting]


@dataclass(frozen=True)
class Effects:
    """Coefficients of the generating model. Severity is latent, in reference SD of the instrument.

    week-12 severity = level of the site + baseline x severity at baseline + treatment x active arm
    + exposure x (log2 hsCRP - 1) + slope of the site x active arm x (log2 hsCRP - 1)
    + age x (age - 42) + female + normal noise.
    """

    inflamed_logit: float = -1.02
    inflamed_logit_per_bmi: float = 0.08
    crp_log_mean: float = 0.12
    crp_log_shift: float = 1.35
    crp_log_per_bmi: float = 0.02
    crp_log_sd: float = 0.82
    il6_log_mean: float = 0.35
    il6_log_shift: float = 0.70
    il6_log_sd: float = 0.55
    tnf_log_mean: float = 0.60
    tnf_log_shift: float = 0.40
    tnf_log_sd: float = 0.45
    follow_up_correlation: float = 0.80
    baseline_inflamed: float = 0.15
    baseline_adversity: float = 0.15
    baseline_sd: float = 0.85
    baseline: float = 0.50
    treatment: float = -0.15
    exposure: float = 0.10
    age: float = 0.004
    female: float = 0.08
    noise_sd: float = 0.75
    dropout_logit: float = -2.30
    dropout_per_week_4: float = 0.45
    dropout_per_baseline: float = 0.20
    visit_missed: float = 0.03
    sample_missed: float = 0.02


EFFECTS = Effects()


@dataclass(frozen=True)
class Truth:
    """What stands behind the markers: two classes of people, or one dimension with the same means and covariances."""

    name: str
    label: str
    effects: Effects
    classes: bool = True


TRUTHS: Mapping[str, Truth] = {
    truth.name: truth
    for truth in (
        Truth("classes", "the overlapping classes of the demonstration", EFFECTS),
        Truth("shift", "one dimension, with the means and covariances of the demonstration", EFFECTS, classes=False),
        Truth(
            "separate",
            "classes two standard deviations apart on each marker",
            replace(
                EFFECTS,
                crp_log_shift=2 * EFFECTS.crp_log_sd,
                il6_log_shift=2 * EFFECTS.il6_log_sd,
                tnf_log_shift=2 * EFFECTS.tnf_log_sd,
            ),
        ),
    )
}
CLASSES = TRUTHS["classes"]

MOLAR_FACTOR = 9.524

SITES: Mapping[str, SiteDesign] = {
    "porto": SiteDesign(
        "porto",
        0,
        "hamd17",
        320,
        -1.90,
        -0.15,
        0.00,
        {
            "hscrp": Reporting("mg/dL", 0.1, 3, 0.02),
            "il6": Reporting("pg/mL", 1.0, 2, 0.3),
            "tnf": Reporting("pg/mL", 1.0, 2, 0.4),
        },
    ),
    "lund": SiteDesign(
        "lund",
        1,
        "qids_sr16",
        300,
        -1.75,
        -0.12,
        -0.10,
        {
            "hscrp": Reporting("mg/L", 1.0, 2, 0.2),
            "il6": Reporting("pg/mL", 1.0, 2, 0.3),
            "tnf": Reporting("pg/mL", 1.0, 2, 0.4),
        },
    ),
    "graz": SiteDesign(
        "graz",
        2,
        "phq9",
        290,
        -1.80,
        -0.14,
        0.05,
        {
            "hscrp": Reporting("nmol/L", MOLAR_FACTOR, 2, 1.905),
            "il6": Reporting("pg/mL", 1.0, 2, 0.3),
            "tnf": Reporting("pg/mL", 1.0, 2, 0.4),
        },
    ),
    "cork": SiteDesign(
        "cork",
        3,
        "madrs",
        300,
        -2.00,
        -0.15,
        0.10,
        {
            "hscrp": Reporting("mg/L", 1.0, 2, 0.2, cap=10.0),
            "il6": Reporting("ng/L", 1.0, 2, 0.3),
            "tnf": Reporting("pg/mL", 1.0, 2, 0.4),
        },
    ),
}


@dataclass(frozen=True)
class Shape:
    """Which sites, and which faults: all that the demonstration plants, or a few missing codes."""

    name: str
    sites: tuple[str, ...]
    faults: str
    seed: int
    participants_per_site: int | None = None


SHAPES: Mapping[str, Shape] = {
    "demo": Shape("demo", ("porto", "lund", "graz", "cork"), "all", seed=20261123),
    "tiny": Shape("tiny", ("porto", "graz"), "few", seed=20261133, participants_per_site=30),
}


def shape_named(name: str) -> Shape:
    """Return a shape.

    Raises
    ------
    EmberError
        There is no such shape.
    """
    if name not in SHAPES:
        raise EmberError(
            f"There is no shape '{name}'.", where="--shape", allowed=SHAPES, nearest=nearest_name(name, SHAPES)
        )
    return SHAPES[name]


def truth_named(name: str) -> Truth:
    """Return a truth.

    Raises
    ------
    EmberError
        There is no such truth.
    """
    if name not in TRUTHS:
        raise EmberError(
            f"There is no truth '{name}'.", where="--truth", allowed=TRUTHS, nearest=nearest_name(name, TRUTHS)
        )
    return TRUTHS[name]
