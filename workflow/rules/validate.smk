# IN   restricted/raw/ and restricted/standard/ (gate standardised), restricted/harmonised/, restricted/analysis/
# OUT  checks/gates/<stage>.csv and .html, the verdict, which is always written; <stage>.passed, which only a passed gate gives


rule run_gates:
    input:
        tables=gate_inputs,
    output:
        verdict=f"{R}/checks/gates/{{stage}}.csv",
        page=f"{R}/checks/gates/{{stage}}.html",
    log:
        f"{R}/logs/run_gates/{{stage}}.log",
    benchmark:
        f"{R}/benchmarks/run_gates/{{stage}}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1200,
        runtime=60,
    params:
        study=STUDY_FOLDER,
        code=code_digest("run_gates"),
        config=settings.digest(settings.gate_settings(STUDY, REGISTRY)),
        restricted=f"{R}/restricted",
    message:
        "Validating the {wildcards.stage} tables"
    shell:
        "python -m ember.steps.run_gates --study {params.study} --stage {wildcards.stage}"
        " --restricted {params.restricted} --gates {output.verdict} --page {output.page} --log {log}"


rule pass_gates:
    input:
        verdict=f"{R}/checks/gates/{{stage}}.csv",
        findings=gate_findings,
    output:
        passed=f"{R}/checks/gates/{{stage}}.passed",
    log:
        f"{R}/logs/pass_gates/{{stage}}.log",
    benchmark:
        f"{R}/benchmarks/pass_gates/{{stage}}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        study=STUDY_FOLDER,
        code=code_digest("pass_gates"),
        config=settings.digest(settings.answer_settings(STUDY)),
    message:
        "Gate {wildcards.stage}"
    shell:
        "python -m ember.steps.pass_gates --study {params.study} --stage {wildcards.stage}"
        " --gates {input.verdict} --findings {input.findings} --passed {output.passed} --log {log}"
