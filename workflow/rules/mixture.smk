# IN   restricted/harmonised/ of all sites, once their gate has passed, and the endotypes of schemes to compare with
# OUT  restricted/endotypes/<mixture>.mixture.parquet and what is known of it; restricted/fits/mixtures/<mixture>.json, the artefact


rule fit_mixture:
    input:
        passed=f"{R}/checks/gates/harmonised.passed",
        participants=per_site(
            f"{R}/restricted/harmonised/{{site}}/participants.parquet"
        ),
        measurements=per_site(
            f"{R}/restricted/harmonised/{{site}}/measurements.parquet"
        ),
        schemes=compared_schemes,
    output:
        classes=f"{R}/restricted/endotypes/{{mixture}}.mixture.parquet",
        artefact=f"{R}/restricted/fits/mixtures/{{mixture}}.json",
        mixture_search=f"{R}/restricted/endotypes/{{mixture}}.mixture_search.parquet",
        mixture_classes=f"{R}/restricted/endotypes/{{mixture}}.mixture_classes.parquet",
        mixture_assays=f"{R}/restricted/endotypes/{{mixture}}.mixture_assays.parquet",
        mixture_stability=f"{R}/restricted/endotypes/{{mixture}}.mixture_stability.parquet",
        mixture_agreement=f"{R}/restricted/endotypes/{{mixture}}.mixture_agreement.parquet",
        accounting=f"{R}/checks/accounting/mixtures/{{mixture}}.csv",
    log:
        f"{R}/logs/fit_mixture/{{mixture}}.log",
    benchmark:
        f"{R}/benchmarks/fit_mixture/{{mixture}}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=240,
    params:
        study=STUDY_FOLDER,
        code=code_digest("fit_mixture"),
        config=mixture_config,
    message:
        "Fitting the mixture {wildcards.mixture}"
    shell:
        "python -m ember.steps.fit_mixture --study {params.study} --mixture {wildcards.mixture}"
        " --participants {input.participants} --measurements {input.measurements} --schemes {input.schemes}"
        " --classes {output.classes} --artefact {output.artefact} --mixture-search {output.mixture_search}"
        " --mixture-classes {output.mixture_classes} --mixture-assays {output.mixture_assays}"
        " --mixture-stability {output.mixture_stability} --mixture-agreement {output.mixture_agreement}"
        " --accounting {output.accounting} --log {log}"
