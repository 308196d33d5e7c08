# IN   restricted/harmonised/ of all sites, once their gate has passed
# OUT  restricted/endotypes/<scheme>.parquet


rule derive_endotypes:
    input:
        passed=f"{R}/checks/gates/harmonised.passed",
        participants=per_site(
            f"{R}/restricted/harmonised/{{site}}/participants.parquet"
        ),
        measurements=per_site(
            f"{R}/restricted/harmonised/{{site}}/measurements.parquet"
        ),
    output:
        endotypes=f"{R}/restricted/endotypes/{{scheme}}.parquet",
        composite=f"{R}/restricted/endotypes/{{scheme}}.composite.parquet",
        accounting=f"{R}/checks/accounting/endotypes/{{scheme}}.csv",
    log:
        f"{R}/logs/derive_endotypes/{{scheme}}.log",
    benchmark:
        f"{R}/benchmarks/derive_endotypes/{{scheme}}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=60,
    params:
        study=STUDY_FOLDER,
        code=code_digest("derive_endotypes"),
        config=scheme_config,
    message:
        "Deriving endotypes by {wildcards.scheme}"
    shell:
        "python -m ember.steps.derive_endotypes --study {params.study} --scheme {wildcards.scheme}"
        " --participants {input.participants} --measurements {input.measurements}"
        " --endotypes {output.endotypes} --composite {output.composite} --accounting {output.accounting} --log {log}"
