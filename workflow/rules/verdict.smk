# IN   restricted/harmonised/ of all sites, once their gate has passed
# OUT  restricted/endotypes/<verdict>.*: whether an endotype is a type, and what every witness says


rule judge_type:
    input:
        passed=f"{R}/checks/gates/harmonised.passed",
        participants=per_site(
            f"{R}/restricted/harmonised/{{site}}/participants.parquet"
        ),
        measurements=per_site(
            f"{R}/restricted/harmonised/{{site}}/measurements.parquet"
        ),
    output:
        judged=f"{R}/restricted/endotypes/{{verdict}}.verdict.json",
        conditions=f"{R}/restricted/endotypes/{{verdict}}.conditions.parquet",
        witnesses=f"{R}/restricted/endotypes/{{verdict}}.witnesses.parquet",
        curves=f"{R}/restricted/endotypes/{{verdict}}.curves.parquet",
    log:
        f"{R}/logs/judge_type/{{verdict}}.log",
    benchmark:
        f"{R}/benchmarks/judge_type/{{verdict}}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=60,
    params:
        study=STUDY_FOLDER,
        code=code_digest("judge_type"),
        config=verdict_config,
    message:
        "Judging whether there is a type: {wildcards.verdict}"
    shell:
        "python -m ember.steps.judge_type --study {params.study} --verdict {wildcards.verdict}"
        " --participants {input.participants} --measurements {input.measurements} --judged {output.judged}"
        " --conditions {output.conditions} --witnesses {output.witnesses} --curves {output.curves} --log {log}"
