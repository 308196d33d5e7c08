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


rule read_source:
    input:
        source=source_file,
        dictionary=dictionary_file,
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
    threads: 1
    resources:
        mem_mb=3000,
        runtime=60,
    params:
        study=STUDY_FOLDER,
        code=code_digest("read_source"),
        config=source_config,
    message:
        "Reading {wildcards.source}"
    shell:
        "python -m ember.steps.read_source --study {params.study} --source {wildcards.source}"
        " --raw {output.raw} --ledger {output.ledger} --accounting {output.accounting} --record {output.record} --log {log}"
