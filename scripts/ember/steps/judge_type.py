"""Judge whether an endotype is a type: every witness, the verdict of the plan's rule, and the curves behind it."""

from __future__ import annotations

from argparse import Namespace

from ember.endotypes.discreteness.beside import of_screen, variabilities
from ember.endotypes.discreteness.judgement import judge
from ember.endotypes.discreteness.people import panel_of
from ember.endotypes.discreteness.tables import condition_table, curve_table, witness_table
from ember.registry.load import load_study
from ember.steps.command import report, run_step
from ember.tables.store import read_tables, write_json, write_table

DECLARES = (
    "contracts/measurements.yaml",
    "contracts/participants.yaml",
    "contracts/verdict_conditions.yaml",
    "contracts/verdict_curves.yaml",
    "contracts/verdict_witnesses.yaml",
)


def main(arguments: Namespace) -> None:
    study, _ = load_study(arguments.study)
    plan = study.verdicts[arguments.verdict]
    participants = read_tables(arguments.participants, "participants")
    panel = panel_of(read_tables(arguments.measurements, "measurements"), participants, plan)
    beside = variabilities(panel)
    judged = judge(panel.of(~panel.compared), plan, study.seed, of_screen(beside))
    conditions = condition_table(arguments.verdict, plan, judged)
    sites = participants["site_id"].unique(maintain_order=True).to_list()
    write_table(witness_table(arguments.verdict, plan, judged, sites, beside), arguments.witnesses, "verdict_witnesses")
    write_table(curve_table(arguments.verdict, plan, judged), arguments.curves, "verdict_curves")
    write_table(conditions, arguments.conditions, "verdict_conditions")
    write_json(
        {"verdict": judged.verdict, "plan": plan, "conditions": [vars(holding) for holding in judged.holdings]},
        arguments.judged,
    )
    report(arguments.log, f"{arguments.verdict}: {judged.verdict}, {panel.n} participants with a marker")


if __name__ == "__main__":
    run_step(
        main,
        inputs=("participants", "measurements"),
        outputs=("judged", "conditions", "witnesses", "curves"),
        wildcards=("verdict",),
    )
