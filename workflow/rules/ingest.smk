# IN   the source files of study.yaml
# OUT  restricted/raw/<source>.parquet, everything as text with its row number and site; its ledger, accounts and input record


rule fetch_file:
    output:
        f"resources/{STUDY.id}/{{file}}",
    log:
        f"{R}/logs/fetch_file/{{file}}.log",
    benchmark:
        f"{R}/benchmarks/fetch_file/{{file}}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=30,
    params:
        study=STUDY_FOLDER,
        code=code_digest("fetch_file"),
    message:
        "Fetching {wildcards.file}"
    shell:
        "python -m ember.steps.fetch_file --study {params.study} --file {wildcards.file} --fetched {output} --log {log}"


# What the job runs is no parameter here: a database is asked again only when the query changes or somebody says so.
rule query_source:
    output:
        snapshot=f"{R}/restricted/fetched/{{source}}/{{source}}.parquet",
    log:
        f"{R}/logs/query_source/{{source}}.log",
    benchmark:
        f"{R}/benchmarks/query_source/{{source}}.tsv"
    wildcard_constraints:
        source="|".join(QUERIES) or "none",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=120,
    params:
        study=STUDY_FOLDER,
        config=query_config,
    message:
        "Asking the database for {wildcards.source}"
    shell:
        "python -m ember.steps.query_source --study {params.study} --source {wildcards.source}"
        " --snapshot {output.snapshot} --log {log}"


STORED = stored_objects()


rule fetch_object:
    input:
        stored=lambda wildcards: STORED[wildcards.source],
    output:
        fetched=f"{R}/restricted/fetched/{{source}}/{{object}}",
    log:
        f"{R}/logs/fetch_object/{{source}}/{{object}}.log",
    benchmark:
        f"{R}/benchmarks/fetch_object/{{source}}/{{object}}.tsv"
    wildcard_constraints:
        source="|".join(OBJECTS) or "none",
        object="[^/]+",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=60,
    params:
        study=STUDY_FOLDER,
        code=code_digest("fetch_object"),
    message:
        "Fetching {wildcards.object}"
    shell:
        "python -m ember.steps.fetch_object --study {params.study} --source {wildcards.source}"
        " --stored {input.stored} --fetched {output.fetched} --log {log}"


rule collect_consent:
    input:
        sources=consent_files,
        corrections=consent_corrections,
    output:
        register=f"{R}/restricted/consent.parquet",
        counts=f"{R}/checks/consent.csv",
    log:
        f"{R}/logs/collect_consent/all.log",
    benchmark:
        f"{R}/benchmarks/collect_consent/all.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        study=STUDY_FOLDER,
        code=code_digest("collect_consent"),
        config=settings.digest(settings.consent_settings(STUDY)),
    message:
        "Collecting what participants agreed to"
    shell:
        "python -m ember.steps.collect_consent --study {params.study} --register {output.register}"
        " --counts {output.counts} --log {log}"


rule read_source:
    input:
        source=source_file,
        dictionary=dictionary_file,
        corrections=corrections_files,
        consent=consent_register,
    output:
        raw=f"{R}/restricted/raw/{{source}}.parquet",
        ledger=f"{R}/restricted/ledger/{{source}}/read_source.parquet",
        accounting=f"{R}/checks/accounting/{{source}}/read_source.csv",
        record=f"{R}/checks/inputs/{{source}}.json",
    log:
        f"{R}/logs/read_source/{{source}}.log",
    benchmark:
        f"{R}/benchmarks/read_source/{{source}}.tsv"
    conda:
        "../../environment.yml"
    threads: 2
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        study=STUDY_FOLDER,
        code=code_digest("read_source"),
        config=source_config,
    message:
        "Reading {wildcards.source}"
    shell:
        "python -m ember.steps.read_source --study {params.study} --source {wildcards.source} --consent {input.consent}"
        " --raw {output.raw} --ledger {output.ledger} --accounting {output.accounting} --record {output.record} --log {log}"
