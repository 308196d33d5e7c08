# IN   fits, checks and restricted tables of all sites
# OUT  checks/accounting.csv, restricted/summaries/, aggregate/ (the only folder that a report may read), release/report/

AGGREGATE = [
    "estimates.parquet",
    "estimates.csv",
    "curves.csv",
    "flow.csv",
    "quality.csv",
    "harmonisation.csv",
    "distributions.csv",
    "endotypes.csv",
    "characteristics.csv",
    "rules.csv",
    "findings.csv",
    "gates.csv",
    "accounting.csv",
    "inputs.csv",
    "dictionary.csv",
    *(f"{table}.csv" for table in parts.optional_tables(STUDY)),
]

ACCOUNTS = [
    *expand(
        "{R}/checks/accounting/{source}/read_source.csv", R=R, source=STUDY.sources
    ),
    *expand(
        "{R}/checks/accounting/{site}/{step}.csv",
        R=R,
        site=SITES,
        step=["standardise_site", "harmonise_site"],
    ),
    *history_files(f"{R}/checks/accounting/{{site}}/derive_history.csv"),
    *expand("{R}/checks/accounting/endotypes/{scheme}.csv", R=R, scheme=STUDY.schemes),
    *expand(
        "{R}/checks/accounting/mixtures/{mixture}.csv", R=R, mixture=STUDY.mixtures
    ),
    *expand(
        "{R}/checks/accounting/usual_level/{scheme}.csv",
        R=R,
        scheme=parts.schemes_with_usual_level(STUDY),
    ),
    *expand(
        "{R}/checks/accounting/analysis/{analysis}.csv", R=R, analysis=STUDY.analyses
    ),
]
LEDGERS = [
    *expand(
        "{R}/restricted/ledger/{source}/read_source.parquet", R=R, source=STUDY.sources
    ),
    *expand(
        "{R}/restricted/ledger/{site}/{step}.parquet",
        R=R,
        site=SITES,
        step=["standardise_site", "harmonise_site"],
    ),
    *history_files(f"{R}/restricted/ledger/{{site}}/derive_history.parquet"),
    *expand(
        "{R}/restricted/ledger/analysis/{analysis}.parquet",
        R=R,
        analysis=STUDY.analyses,
    ),
]


rule collect_accounting:
    input:
        accounts=ACCOUNTS,
    output:
        accounting=f"{R}/checks/accounting.csv",
    log:
        f"{R}/logs/collect_accounting/all.log",
    benchmark:
        f"{R}/benchmarks/collect_accounting/all.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        study=STUDY_FOLDER,
        code=code_digest("collect_accounting"),
    message:
        "Adding up what came in and what became of it"
    shell:
        "python -m ember.steps.collect_accounting --study {params.study} --parts {input.accounts}"
        " --accounting {output.accounting} --log {log}"


rule summarise_sites:
    input:
        raw=expand("{R}/restricted/raw/{source}.parquet", R=R, source=STUDY.sources),
        standard=expand(
            "{R}/restricted/standard/{site}/{table}.parquet",
            R=R,
            site=SITES,
            table=["participants", "visits", "measurements", "items"],
        ),
        harmonised=expand(
            "{R}/restricted/harmonised/{site}/{table}.parquet",
            R=R,
            site=SITES,
            table=["participants", "visits", "measurements", "scores", "treatments"],
        ),
        history=history_files(f"{R}/restricted/harmonised/{{site}}/history.parquet"),
        endotypes=expand(
            "{R}/restricted/endotypes/{scheme}.parquet", R=R, scheme=STUDY.schemes
        ),
        composites=expand(
            "{R}/restricted/endotypes/{scheme}.{table}.parquet",
            R=R,
            scheme=parts.schemes_with_composite(STUDY),
            table=["composite", "references"],
        ),
        usual=expand(
            "{R}/restricted/endotypes/{scheme}.{table}.parquet",
            R=R,
            scheme=parts.schemes_with_usual_level(STUDY),
            table=["usual", "usual_components"],
        ),
        ledgers=LEDGERS,
    output:
        summaries=expand(
            "{R}/restricted/summaries/{table}.parquet",
            R=R,
            table=parts.restricted_summaries(STUDY),
        ),
    log:
        f"{R}/logs/summarise_sites/all.log",
    benchmark:
        f"{R}/benchmarks/summarise_sites/all.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=60,
    params:
        study=STUDY_FOLDER,
        code=code_digest("summarise_sites"),
        config=settings.digest(settings.report_settings(STUDY, REGISTRY)),
        restricted=lambda wildcards, output: parent(output.summaries[0], 2),
        folder=lambda wildcards, output: parent(output.summaries[0], 1),
    message:
        "Summarising the sites"
    shell:
        "python -m ember.steps.summarise_sites --study {params.study} --restricted {params.restricted}"
        " --summaries {params.folder} --log {log}"


rule protect_results:
    input:
        estimates=expand(
            "{R}/restricted/fits/{analysis}/{table}.parquet",
            R=R,
            analysis=STUDY.analyses,
            table=["estimates", "curves"],
        ),
        ledgers=expand(
            "{R}/restricted/ledger/analysis/{analysis}.parquet",
            R=R,
            analysis=STUDY.analyses,
        ),
        summaries=expand(
            "{R}/restricted/summaries/{table}.parquet",
            R=R,
            table=parts.summaries_of(STUDY),
        ),
        consent=consent_counts(),
        verdicts=expand(
            "{R}/restricted/endotypes/{verdict}.{table}.parquet",
            R=R,
            verdict=STUDY.verdicts,
            table=parts.VERDICT_FILES.values(),
        ),
        mixtures=expand(
            "{R}/restricted/endotypes/{mixture}.{table}.parquet",
            R=R,
            mixture=STUDY.mixtures,
            table=parts.MIXTURES,
        ),
        accounting=f"{R}/checks/accounting.csv",
        gates=expand(
            "{R}/checks/gates/{stage}.{kind}",
            R=R,
            stage=["standardised", "harmonised", "analysis"],
            kind=["csv", "passed"],
        ),
        findings=expand(
            "{R}/checks/findings/{site}/{step}.csv",
            R=R,
            site=SITES,
            step=["standardise_site", "harmonise_site"],
        ),
        histories=history_files(f"{R}/checks/findings/{{site}}/derive_history.csv"),
        compared=f"{R}/checks/findings/compare_sites.csv",
        records=expand("{R}/checks/inputs/{source}.json", R=R, source=STUDY.sources),
    output:
        tables=expand("{R}/aggregate/{table}", R=R, table=AGGREGATE),
    log:
        f"{R}/logs/protect_results/all.log",
    benchmark:
        f"{R}/benchmarks/protect_results/all.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        study=STUDY_FOLDER,
        code=code_digest("protect_results"),
        config=settings.digest(settings.report_settings(STUDY, REGISTRY)),
        results=lambda wildcards, input: parent(input.accounting, 2),
        aggregate=lambda wildcards, output: parent(output.tables[0], 1),
    message:
        "Protecting the results"
    shell:
        "python -m ember.steps.protect_results --study {params.study} --results {params.results}"
        " --aggregate {params.aggregate} --log {log}"


rule render_report:
    input:
        tables=rules.protect_results.output.tables,
        version=f"{R}/release/version.json",
    output:
        html=report(
            f"{R}/release/report/report.html",
            caption="../report/report.rst",
            category="Report",
            labels={"form": "HTML"},
        ),
        pdf=report(
            f"{R}/release/report/report.pdf",
            caption="../report/report.rst",
            category="Report",
            labels={"form": "PDF"},
        ),
        figures=directory(f"{R}/release/report/figures"),
        tables=directory(f"{R}/release/report/tables"),
    log:
        f"{R}/logs/render_report/all.log",
    benchmark:
        f"{R}/benchmarks/render_report/all.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=20,
    params:
        study=STUDY_FOLDER,
        code=code_digest("render_report"),
        config=settings.digest(settings.report_settings(STUDY, REGISTRY)),
        aggregate=lambda wildcards, input: parent(input.tables[0], 1),
        folder=lambda wildcards, output: parent(output.html, 1),
    message:
        "Rendering the report"
    shell:
        "python -m ember.steps.render_report --study {params.study} --aggregate {params.aggregate}"
        " --version {input.version} --folder {params.folder} --log {log}"
