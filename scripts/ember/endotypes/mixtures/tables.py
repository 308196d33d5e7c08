"""Tables of a mixture: one row a class for each participant, and the search, the classes, assays and stability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from ember.endotypes.mixtures.agreement import agreement
from ember.endotypes.mixtures.derive import Derived
from ember.endotypes.mixtures.labels import class_names, cross_table
from ember.endotypes.mixtures.values import MISSING, IntArray
from ember.endotypes.results import PERSON
from ember.tables.store import conform, empty_table
from ember.validate.accounting import Account


def mixture_tables(
    made: Derived, participants: pl.DataFrame, content: Mapping[str, Any], schemes: Mapping[str, pl.DataFrame]
) -> dict[str, pl.DataFrame]:
    """Return by contract what is known of a mixture beside its classes."""
    return {
        "mixture_search": search_table(made, content),
        "mixture_classes": profile_table(made, content),
        "mixture_assays": assay_table(made, content),
        "mixture_stability": stability_table(made),
        "mixture_agreement": agreement_table(made, participants, content, schemes),
    }


def class_table(made: Derived, participants: pl.DataFrame, content: Mapping[str, Any]) -> pl.DataFrame:
    """Return the posterior probabilities, contract endotypes; participants without enough analytes have no row."""
    people = participants.select(PERSON).filter(pl.Series(made.found.used))
    number = made.posterior.shape[1]
    modal = made.posterior.argmax(axis=1)[:, None] == np.arange(number)
    modal = modal & (made.labels is not None)
    there = made.found.values.kind != MISSING
    names = np.array([one["analyte"] for one in made.artefact["analytes"]])
    missing = [";".join(names[~row]) for row in there]
    one = people.with_columns(
        pl.lit(content["visit"]).alias("visit"),
        pl.lit(f"{content['mixture']}:v{content['version']}:posterior").alias("rule_id"),
        made.found.evidence.alias("evidence"),
        pl.lit("" if made.labels is not None else "no_label").alias("flags"),
        pl.Series("missing", missing, dtype=pl.String),
        pl.lit(1, dtype=pl.Int64).alias("n_samples"),
    )
    table = one[np.repeat(np.arange(one.height), number)].with_columns(
        pl.Series("class", class_names(number) * one.height, dtype=pl.String),
        pl.Series("probability", made.posterior.reshape(-1)),
        pl.Series("assigned", modal.reshape(-1)),
    )
    return conform(table, "endotypes")


def mixture_accounts(made: Derived, participants: pl.DataFrame, name: str) -> list[Account]:
    """Return one account a site: participants with too few analytes are excluded."""
    counted = participants.select("site_id", pl.Series("used", made.found.used))
    rows = counted.group_by("site_id", maintain_order=True).agg(pl.len(), pl.col("used").cast(pl.Int64).sum())
    return [
        Account(site, f"mixtures:{name}", "participant", n_in=n, n_out=used, n_excluded=n - used)
        for site, n, used in rows.iter_rows()
    ]


def search_table(made: Derived, content: Mapping[str, Any]) -> pl.DataFrame:
    """Return every size and form that was fitted, contract mixture_search; no rows for a frozen mixture."""
    if made.chosen is None:
        return empty_table("mixture_search")
    rows = [
        {
            "mixture": content["mixture"], "covariance": fit.covariance, "classes": fit.classes,
            "log_likelihood": fit.likelihood, "parameters": fit.parameters, "bic": fit.criteria.bic,
            "icl": fit.criteria.icl, "entropy": fit.criteria.entropy,
            "relative_entropy": fit.criteria.relative_entropy, "starts": fit.found.starts,
            "continued": fit.found.continued, "replicated": fit.found.replicated,
            "degenerate": fit.found.degenerate, "sound": fit.found.sound, "confirmed": fit.replicated,
            "chosen": fit is made.chosen.fit,
            "ratio": fit.ratio.statistic if fit.ratio else None,
            "ratio_p": fit.ratio.p_value if fit.ratio else None,
            "ratio_samples": fit.ratio.samples if fit.ratio else None,
        }
        for fit in made.chosen.searched
    ]  # fmt: skip
    return conform(pl.DataFrame(rows, infer_schema_length=None), "mixture_search")


def profile_table(made: Derived, content: Mapping[str, Any]) -> pl.DataFrame:
    """Return the classes on every analyte, contract mixture_classes."""
    counts = np.bincount(made.posterior.argmax(axis=1), minlength=made.posterior.shape[1])
    deviation = np.sqrt(np.diagonal(made.mixture.covariances[0], axis1=1, axis2=2))
    names = class_names(made.mixture.classes)
    rows = [
        {
            "mixture": content["mixture"], "mixture_label": content["label"], "class": name, "class_order": order + 1,
            "label": None if made.labels is None else made.labels[order], "reason": made.reason,
            "analyte": one["analyte"], "unit": one["unit"],
            "geometric_mean": float(np.exp(made.mixture.means[0, order, place])),
            "ln_sd": float(deviation[order, place]), "weight": float(made.mixture.weights[0, order]),
            "n": int(counts[order]), "total": int(counts.sum()),
        }
        for order, name in enumerate(names)
        for place, one in enumerate(made.artefact["analytes"])
    ]  # fmt: skip
    return conform(pl.DataFrame(rows, schema_overrides={"label": pl.String}), "mixture_classes")


def assay_table(made: Derived, content: Mapping[str, Any]) -> pl.DataFrame:
    """Return counts of class by assay, contract mixture_assays."""
    modal = made.posterior.argmax(axis=1)
    rows = []
    for place, (assays, assay) in enumerate(made.found.assays):
        counts = cross_table(modal, assay, made.mixture.classes, len(assays))
        for column, name in enumerate(assays):
            for row, label in enumerate(class_names(made.mixture.classes)):
                rows.append(
                    {
                        "mixture": content["mixture"], "analyte": made.artefact["analytes"][place]["analyte"],
                        "assay_id": name, "class": label, "n": int(counts[row, column]),
                        "cramers_v": made.association[place],
                    }
                )  # fmt: skip
    return conform(pl.DataFrame(rows), "mixture_assays")


def stability_table(made: Derived) -> pl.DataFrame:
    """Return agreement over bootstrap samples and without each site, or the drift test: contract mixture_stability."""
    rows = list(made.stability)
    return _conformed(rows, "mixture_stability")


def agreement_table(
    made: Derived, participants: pl.DataFrame, content: Mapping[str, Any], schemes: Mapping[str, pl.DataFrame]
) -> pl.DataFrame:
    """Return counts of class by the states of rule schemes, contract mixture_agreement.

    Notes
    -----
    Kappa is computed where a scheme has as many states with people as the mixture has classes, in the order of the
    scheme; the adjusted Rand index always.
    """
    modal = made.posterior.argmax(axis=1)
    people = participants.select(PERSON).filter(pl.Series(made.found.used))
    rows = []
    for scheme, endotypes in schemes.items():
        states, state = _states(people, endotypes)
        found = agreement(modal, state, made.mixture.classes, len(states))
        for order, name in enumerate(class_names(made.mixture.classes)):
            for column, label in enumerate(states):
                rows.append(
                    {
                        "mixture": content["mixture"], "scheme": scheme, "class": name, "state": label,
                        "n": int(found.table[order, column]), "adjusted_rand": _known(found.adjusted_rand),
                        "kappa": _known(found.kappa),
                    }
                )  # fmt: skip
    return _conformed(rows, "mixture_agreement")


def _states(people: pl.DataFrame, endotypes: pl.DataFrame) -> tuple[Sequence[str], IntArray]:
    own = endotypes.filter("assigned").select(*PERSON, pl.col("class").alias("state"))
    joined = people.join(own, on=PERSON, how="left", maintain_order="left")["state"].to_list()
    order = endotypes["class"].unique(maintain_order=True).to_list()
    seen = set(joined)
    states = [state for state in order if state in seen]
    numbers = {state: number for number, state in enumerate(states)}
    return states, np.array([numbers.get(state, -1) for state in joined], dtype=np.int64)


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _conformed(rows: Sequence[Mapping[str, Any]], table: str) -> pl.DataFrame:
    return conform(pl.DataFrame(rows, infer_schema_length=None), table) if rows else empty_table(table)
