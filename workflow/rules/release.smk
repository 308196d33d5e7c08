# IN   release/report/ and aggregate/
# OUT  reports/<study>/<version>/, written once under a name made of its content, and reports/<study>/index.html


rule identify_release:
    input:
        inputs=f"{R}/aggregate/inputs.csv",
    output:
        version=f"{R}/release/version.json",
    log:
        f"{R}/logs/identify_release/all.log",
    benchmark:
        f"{R}/benchmarks/identify_release/all.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        study=STUDY_FOLDER,
        code=settings.digest({step: code_digest(step) for step in settings.STEPS}),
        config=settings.digest(settings.report_settings(STUDY, REGISTRY)),
    message:
        "Naming the version"
    shell:
        "python -m ember.steps.identify_release --study {params.study} --inputs {input.inputs}"
        " --version {output.version} --log {log}"


rule write_manifest:
    input:
        report=rules.render_report.output,
        tables=rules.protect_results.output.tables,
        version=f"{R}/release/version.json",
    output:
        manifest=f"{R}/release/manifest.json",
    log:
        f"{R}/logs/write_manifest/all.log",
    benchmark:
        f"{R}/benchmarks/write_manifest/all.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        study=STUDY_FOLDER,
        code=code_digest("write_manifest"),
        config=settings.digest(settings.report_settings(STUDY, REGISTRY)),
        report=lambda wildcards, input: parent(input.report[0], 1),
        aggregate=lambda wildcards, input: parent(input.tables[0], 1),
    message:
        "Writing the manifest"
    shell:
        "python -m ember.steps.write_manifest --study {params.study} --report {params.report}"
        " --aggregate {params.aggregate} --version {input.version} --manifest {output.manifest} --log {log}"


rule publish_report:
    input:
        report=rules.render_report.output,
        tables=rules.protect_results.output.tables,
        version=f"{R}/release/version.json",
        manifest=f"{R}/release/manifest.json",
    output:
        published=f"{R}/release/published.json",
        index=f"reports/{STUDY.id}/index.html",
    log:
        f"{R}/logs/publish_report/all.log",
    benchmark:
        f"{R}/benchmarks/publish_report/all.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=500,
        runtime=5,
    params:
        study=STUDY_FOLDER,
        code=code_digest("publish_report"),
        report=lambda wildcards, input: parent(input.report[0], 1),
        aggregate=lambda wildcards, input: parent(input.tables[0], 1),
        versions=lambda wildcards, output: parent(output.index, 1),
    message:
        "Publishing the report"
    shell:
        "python -m ember.steps.publish_report --study {params.study} --report {params.report}"
        " --aggregate {params.aggregate} --version {input.version} --manifest {input.manifest}"
        " --versions {params.versions} --published {output.published} --index {output.index} --log {log}"
