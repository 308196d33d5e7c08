# IN   restricted/harmonised/ of all sites, once their gate has passed, and what of restricted/standard/ could not be used
# OUT  restricted/endotypes/<scheme>.parquet, with its composite and what that is standardised against


rule derive_endotypes:
    input:
        passed=f"{R}/checks/gates/harmonised.passed",
        participants=per_site(
            f"{R}/restricted/harmonised/{{site}}/participants.parquet"
        ),
        measurements=per_site(
            f"{R}/restricted/harmonised/{{site}}/measurements.parquet"
        ),
        scores=per_site(f"{R}/restricted/harmonised/{{site}}/scores.parquet"),
        treatments=per_site(f"{R}/restricted/harmonised/{{site}}/treatments.parquet"),
        standard=per_site(f"{R}/restricted/standard/{{site}}/measurements.parquet"),
        answers=symptom_files,
        ledgers=per_site(f"{R}/restricted/ledger/{{site}}/harmonise_site.parquet"),
    output:
        endotypes=f"{R}/restricted/endotypes/{{scheme}}.parquet",
        composite=f"{R}/restricted/endotypes/{{scheme}}.composite.parquet",
        references=f"{R}/restricted/endotypes/{{scheme}}.references.parquet",
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
        " --participants {input.participants} --measurements {input.measurements} --scores {input.scores}"
        " --treatments {input.treatments} --standard {input.standard} --answers {input.answers}"
        " --ledgers {input.ledgers} --endotypes {output.endotypes} --composite {output.composite}"
        " --references {output.references} --accounting {output.accounting} --log {log}"


rule estimate_usual_level:
    input:
        passed=f"{R}/checks/gates/harmonised.passed",
        participants=per_site(
            f"{R}/restricted/harmonised/{{site}}/participants.parquet"
        ),
        measurements=per_site(
            f"{R}/restricted/harmonised/{{site}}/measurements.parquet"
        ),
        scores=per_site(f"{R}/restricted/harmonised/{{site}}/scores.parquet"),
        treatments=per_site(f"{R}/restricted/harmonised/{{site}}/treatments.parquet"),
    output:
        usual=f"{R}/restricted/endotypes/{{scheme}}.usual.parquet",
        components=f"{R}/restricted/endotypes/{{scheme}}.usual_components.parquet",
        accounting=f"{R}/checks/accounting/usual_level/{{scheme}}.csv",
    log:
        f"{R}/logs/estimate_usual_level/{{scheme}}.log",
    benchmark:
        f"{R}/benchmarks/estimate_usual_level/{{scheme}}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=60,
    params:
        study=STUDY_FOLDER,
        code=code_digest("estimate_usual_level"),
        config=usual_config,
    message:
        "Estimating usual levels by {wildcards.scheme}"
    shell:
        "python -m ember.steps.estimate_usual_level --study {params.study} --scheme {wildcards.scheme}"
        " --participants {input.participants} --measurements {input.measurements} --scores {input.scores}"
        " --treatments {input.treatments} --usual {output.usual} --components {output.components}"
        " --accounting {output.accounting} --log {log}"
