# IN   restricted/harmonised/ of all sites and restricted/endotypes/, once both gates have passed
# OUT  restricted/analysis/<analysis>.parquet (who is in, who is out and why) and restricted/fits/<analysis>/


rule build_analysis_set:
    input:
        passed=expand(
            "{R}/checks/gates/{stage}.passed",
            R=R,
            stage=["standardised", "harmonised"],
        ),
        participants=per_site(
            f"{R}/restricted/harmonised/{{site}}/participants.parquet"
        ),
        measurements=per_site(
            f"{R}/restricted/harmonised/{{site}}/measurements.parquet"
        ),
        scores=per_site(f"{R}/restricted/harmonised/{{site}}/scores.parquet"),
        endotypes=scheme_files,
        history=analysis_history,
    output:
        analysis_set=f"{R}/restricted/analysis/{{analysis}}.parquet",
        ledger=f"{R}/restricted/ledger/analysis/{{analysis}}.parquet",
        accounting=f"{R}/checks/accounting/analysis/{{analysis}}.csv",
    log:
        f"{R}/logs/build_analysis_set/{{analysis}}.log",
    benchmark:
        f"{R}/benchmarks/build_analysis_set/{{analysis}}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=60,
    params:
        study=STUDY_FOLDER,
        code=code_digest("build_analysis_set"),
        config=analysis_config,
    message:
        "Building the analysis set of {wildcards.analysis}"
    shell:
        "python -m ember.steps.build_analysis_set --study {params.study} --analysis {wildcards.analysis}"
        " --participants {input.participants} --measurements {input.measurements} --scores {input.scores}"
        " --endotypes {input.endotypes} --history {input.history} --analysis-set {output.analysis_set}"
        " --ledger {output.ledger} --accounting {output.accounting} --log {log}"


rule fit_models:
    input:
        analysis_set=f"{R}/restricted/analysis/{{analysis}}.parquet",
        # All sets are checked together: a set that did not change is not fitted again because another one did.
        passed=ancient(f"{R}/checks/gates/analysis.passed"),
    output:
        estimates=f"{R}/restricted/fits/{{analysis}}/estimates.parquet",
        curves=f"{R}/restricted/fits/{{analysis}}/curves.parquet",
    log:
        f"{R}/logs/fit_models/{{analysis}}.log",
    benchmark:
        f"{R}/benchmarks/fit_models/{{analysis}}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=3000,
        runtime=60,
    params:
        study=STUDY_FOLDER,
        code=code_digest("fit_models"),
        config=analysis_config,
    message:
        "Fitting {wildcards.analysis}"
    shell:
        "python -m ember.steps.fit_models --study {params.study} --analysis {wildcards.analysis}"
        " --analysis-set {input.analysis_set} --estimates {output.estimates} --curves {output.curves} --log {log}"
