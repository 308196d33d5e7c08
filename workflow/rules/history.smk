# IN   restricted/harmonised/<site>/ of studies whose sites map treatments, or that declare a rule for difficult-to-treat depression
# OUT  restricted/harmonised/<site>/: treatment_trials (one row a trial) and history (one row a participant)


rule derive_history:
    input:
        harmonised=expand(
            "{R}/restricted/harmonised/{{site}}/{table}.parquet",
            R=R,
            table=["participants", "visits", "measurements", "scores", "treatments"],
        ),
    output:
        trials=f"{R}/restricted/harmonised/{{site}}/treatment_trials.parquet",
        history=f"{R}/restricted/harmonised/{{site}}/history.parquet",
        ledger=f"{R}/restricted/ledger/{{site}}/derive_history.parquet",
        accounting=f"{R}/checks/accounting/{{site}}/derive_history.csv",
        findings=f"{R}/checks/findings/{{site}}/derive_history.csv",
    log:
        f"{R}/logs/derive_history/{{site}}.log",
    benchmark:
        f"{R}/benchmarks/derive_history/{{site}}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=60,
    params:
        study=STUDY_FOLDER,
        code=code_digest("derive_history"),
        config=history_config,
    message:
        "Deriving the treatment history of {wildcards.site}"
    shell:
        "POLARS_MAX_THREADS={threads} python -m ember.steps.derive_history --study {params.study} --site {wildcards.site}"
        " --harmonised {input.harmonised} --trials {output.trials} --history {output.history}"
        " --ledger {output.ledger} --accounting {output.accounting} --findings {output.findings} --log {log}"
