# IN   restricted/raw/<source>.parquet
# OUT  restricted/standard/<site>/ (our names, study days, still the site's units) and restricted/harmonised/<site>/ (canonical units, scores)


rule standardise_site:
    input:
        raw=raw_files,
        consent=consent_register,
    output:
        participants=f"{R}/restricted/standard/{{site}}/participants.parquet",
        visits=f"{R}/restricted/standard/{{site}}/visits.parquet",
        measurements=f"{R}/restricted/standard/{{site}}/measurements.parquet",
        answers=f"{R}/restricted/standard/{{site}}/items.parquet",
        treatments=f"{R}/restricted/standard/{{site}}/treatments.parquet",
        ledger=f"{R}/restricted/ledger/{{site}}/standardise_site.parquet",
        accounting=f"{R}/checks/accounting/{{site}}/standardise_site.csv",
        findings=f"{R}/checks/findings/{{site}}/standardise_site.csv",
    log:
        f"{R}/logs/standardise_site/{{site}}.log",
    benchmark:
        f"{R}/benchmarks/standardise_site/{{site}}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=60,
    params:
        study=STUDY_FOLDER,
        code=code_digest("standardise_site"),
        config=site_config,
    message:
        "Standardising {wildcards.site}"
    shell:
        "POLARS_MAX_THREADS={threads} python -m ember.steps.standardise_site --study {params.study} --site {wildcards.site} --raw {input.raw}"
        " --consent {input.consent}"
        " --participants {output.participants} --visits {output.visits} --measurements {output.measurements}"
        " --items {output.answers} --treatments {output.treatments}"
        " --ledger {output.ledger} --accounting {output.accounting} --findings {output.findings} --log {log}"


rule harmonise_site:
    input:
        standard=expand(
            "{R}/restricted/standard/{{site}}/{table}.parquet",
            R=R,
            table=["participants", "visits", "measurements", "items", "treatments"],
        ),
        accounts=f"{R}/checks/accounting/{{site}}/standardise_site.csv",
    output:
        participants=f"{R}/restricted/harmonised/{{site}}/participants.parquet",
        visits=f"{R}/restricted/harmonised/{{site}}/visits.parquet",
        measurements=f"{R}/restricted/harmonised/{{site}}/measurements.parquet",
        scores=f"{R}/restricted/harmonised/{{site}}/scores.parquet",
        treatments=f"{R}/restricted/harmonised/{{site}}/treatments.parquet",
        ledger=f"{R}/restricted/ledger/{{site}}/harmonise_site.parquet",
        accounting=f"{R}/checks/accounting/{{site}}/harmonise_site.csv",
        findings=f"{R}/checks/findings/{{site}}/harmonise_site.csv",
        evidence=f"{R}/restricted/unit_evidence/{{site}}.parquet",
    log:
        f"{R}/logs/harmonise_site/{{site}}.log",
    benchmark:
        f"{R}/benchmarks/harmonise_site/{{site}}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=60,
    params:
        study=STUDY_FOLDER,
        code=code_digest("harmonise_site"),
        config=site_config,
    message:
        "Harmonising {wildcards.site}"
    shell:
        "POLARS_MAX_THREADS={threads} python -m ember.steps.harmonise_site --study {params.study} --site {wildcards.site}"
        " --standard {input.standard} --accounts {input.accounts}"
        " --participants {output.participants} --visits {output.visits} --measurements {output.measurements}"
        " --scores {output.scores} --treatments {output.treatments}"
        " --ledger {output.ledger} --accounting {output.accounting} --findings {output.findings}"
        " --evidence {output.evidence} --log {log}"


rule compare_sites:
    input:
        evidence=per_site(f"{R}/restricted/unit_evidence/{{site}}.parquet"),
    output:
        findings=f"{R}/checks/findings/compare_sites.csv",
    log:
        f"{R}/logs/compare_sites/all.log",
    benchmark:
        f"{R}/benchmarks/compare_sites/all.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        study=STUDY_FOLDER,
        code=code_digest("compare_sites"),
        config=settings.digest(settings.comparison_settings(STUDY, REGISTRY)),
    message:
        "Comparing the sites"
    shell:
        "POLARS_MAX_THREADS={threads} python -m ember.steps.compare_sites --study {params.study}"
        " --evidence {input.evidence} --findings {output.findings} --log {log}"
