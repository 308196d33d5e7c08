# The only helpers. Parsing a study imports no data library: pyyaml and jsonschema, and the engine itself.
import fcntl
import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

sys.path.insert(0, str(Path(workflow.basedir).parent / "scripts"))

from ember.errors import EmberError
from ember.history.declared import has_history, uses_history
from ember.provenance import settings
from ember.provenance.code import code_digest
from ember.provenance.privacy_key import keep_fingerprint, pseudonym_key
from ember.registry.load import load_study
from ember.registry.stores import PLUGINS, scheme_of
from ember.registry.vouched import configuration_digest
from ember.reporting import parts

PROJECT = Path(workflow.basedir).parent

try:
    STUDY, REGISTRY = load_study(config["study"], PROJECT)
except EmberError as error:
    raise WorkflowError(f"The study cannot run.\n{error}") from None

SITES = settings.included_sites(STUDY)
R = f"results/{STUDY.id}"
# Relative paths only: a copied tree finds everything in its place and reruns nothing.
STUDY_FOLDER = os.path.relpath(STUDY.folder, STUDY.workspace)

# Every job sees the same numerics, time zone and language, whatever the machine.
os.environ.update(
    PYTHONPATH=str(PROJECT / "scripts"),
    OPENBLAS_NUM_THREADS="1",
    OMP_NUM_THREADS="1",
    POLARS_MAX_THREADS=os.environ.get("POLARS_MAX_THREADS", "2"),
    TZ="UTC",
    LC_ALL="C.UTF-8",
    MPLBACKEND="Agg",
    EMBER_CHECKED=configuration_digest(STUDY.folder, PROJECT),
)
if "conda" not in {
    str(method) for method in workflow.deployment_settings.deployment_method
}:
    os.environ.update(
        PATH=os.pathsep.join([os.path.dirname(sys.executable), os.getenv("PATH", "")])
    )


def lock_workspace():
    """Take the workspace for this run; the kernel frees it when the process ends, however it ends."""
    handle = open(STUDY.workspace / ".ember.lock", "w")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise WorkflowError(
            f"Another run works in {STUDY.workspace}. Wait until it ends, or stop it."
        ) from None
    return handle


if (
    workflow.is_main_process
    and not workflow.dryrun
    and not {"--lint", "--dag", "--rulegraph", "--report", "--summary"} & set(sys.argv)
):
    WORKSPACE_LOCK = lock_workspace()
    try:
        keep_fingerprint(
            pseudonym_key(STUDY, os.environ),
            STUDY.workspace / R / "restricted" / "key_fingerprint",
        )
    except EmberError as error:
        raise WorkflowError(str(error)) from None


def per_site(path):
    """Return one path a site that is analysed, in study order."""
    return expand(path, site=SITES)


QUERIES = [source.id for source in STUDY.sources.values() if source.query]
OBJECTS = {
    source.id: source.file for source in STUDY.sources.values() if "://" in source.file
}


def stored_objects():
    """Return the storage object of each source that lies in a store; the plugin is an extra."""
    if OBJECTS:
        from snakemake_interface_storage_plugins.registry import StoragePluginRegistry

        installed = StoragePluginRegistry()
    for source, address in OBJECTS.items():
        plugin, package = PLUGINS[scheme_of(address)]
        if not installed.is_installed(plugin):
            raise WorkflowError(
                f"The source {source} lies in object storage ({address}), and {package} is not installed. "
                "Install it beside EMBER: pip install --require-hashes -r requirements-storage.lock"
            )
    return {source: storage(address) for source, address in OBJECTS.items()}


def parent(path, levels):
    """Return the folder that many levels above a file."""
    return str(Path(path).parents[levels - 1])


def with_joined(source):
    """Return a source and those whose columns it brings to its rows."""
    declared = STUDY.sources[source]
    return [declared, *(STUDY.sources[join.source] for join in declared.joins)]


def source_file(wildcards):
    return [
        os.path.relpath(source.path, STUDY.workspace)
        for source in with_joined(wildcards.source)
    ]


def dictionary_file(wildcards):
    return [
        os.path.relpath(source.dictionary, STUDY.workspace)
        for source in with_joined(wildcards.source)
        if source.dictionary
    ]


def corrections_of(tables):
    """Return the files of corrections of some tables, each once."""
    files = [table.corrections for table in tables if table.corrections]
    return [
        os.path.relpath(STUDY.data_folder / file, STUDY.workspace)
        for file in dict.fromkeys(files)
    ]


TABLES = [table for site in STUDY.sites.values() for table in site.tables]


def corrections_files(wildcards):
    return corrections_of(table for table in TABLES if table.source == wildcards.source)


def consent_corrections(wildcards):
    return corrections_of(table for table in TABLES if table.consent)


def consent_files(wildcards):
    """Return the files of the sources that tell about consent."""
    sources = settings.consent_sources(STUDY)
    return [
        os.path.relpath(STUDY.sources[source].path, STUDY.workspace)
        for source in sources
    ]


def consent_register(wildcards):
    """Return the register of consent, which only a study has that needs one."""
    return [f"{R}/restricted/consent.parquet"] if STUDY.consent_required else []


def consent_counts():
    """Return how many people agreed, where the study asks."""
    return [f"{R}/checks/consent.csv"] if STUDY.consent_required else []


def raw_files(wildcards):
    return [
        f"{R}/restricted/raw/{source}.parquet"
        for source in STUDY.sites[wildcards.site].sources
    ]


def query_config(wildcards):
    return settings.digest(settings.query_settings(STUDY, wildcards.source))


def source_config(wildcards):
    return settings.digest(settings.source_settings(STUDY, wildcards.source))


def site_config(wildcards):
    return settings.digest(settings.site_settings(STUDY, REGISTRY, wildcards.site))


def history_config(wildcards):
    return settings.digest(settings.history_settings(STUDY, REGISTRY, wildcards.site))


def history_files(name):
    """Return one file of the treatment history a site, where the study has one."""
    return per_site(name) if has_history(STUDY) else []


def analysis_history(wildcards):
    """Return the treatment histories, where an analysis names something of them."""
    named = uses_history(STUDY.analyses[wildcards.analysis])
    file = f"{R}/restricted/harmonised/{{site}}/history.parquet"
    return history_files(file) if named else []


def scheme_config(wildcards):
    return settings.digest(settings.scheme_settings(STUDY, REGISTRY, wildcards.scheme))


def symptom_files(wildcards):
    """Return the answers to items, which only a scheme reads that uses symptoms."""
    uses = "symptoms" in STUDY.schemes[wildcards.scheme]
    return per_site(f"{R}/restricted/standard/{{site}}/items.parquet") if uses else []


def usual_config(wildcards):
    return settings.digest(settings.usual_settings(STUDY, REGISTRY, wildcards.scheme))


def verdict_config(wildcards):
    return settings.digest(
        settings.verdict_settings(STUDY, REGISTRY, wildcards.verdict)
    )


def mixture_config(wildcards):
    return settings.digest(
        settings.mixture_settings(STUDY, REGISTRY, wildcards.mixture)
    )


def compared_schemes(wildcards):
    """Return the endotypes of the schemes that a mixture is compared with, in its order."""
    named = STUDY.mixtures[wildcards.mixture].get("compare", [])
    return [f"{R}/restricted/endotypes/{scheme}.parquet" for scheme in named]


def analysis_config(wildcards):
    return settings.digest(
        settings.analysis_settings(STUDY, REGISTRY, wildcards.analysis)
    )


def gate_inputs(wildcards):
    """Return every file that a gate reads: what its stages left in restricted/."""
    tables = {
        "standardised": (
            "standard",
            ["participants", "visits", "measurements", "items"],
        ),
        "harmonised": (
            "harmonised",
            ["participants", "visits", "measurements", "scores"],
        ),
    }
    if wildcards.stage == "analysis":
        return expand(
            f"{R}/restricted/analysis/{{analysis}}.parquet", analysis=STUDY.analyses
        )
    folder, names = tables[wildcards.stage]
    files = expand(
        f"{R}/restricted/{folder}/{{site}}/{{table}}.parquet", site=SITES, table=names
    )
    raw = expand(f"{R}/restricted/raw/{{source}}.parquet", source=STUDY.sources)
    return files + raw if wildcards.stage == "standardised" else files


def gate_findings(wildcards):
    """Return the findings that a gate waits for; an analysis set has none."""
    steps = {"standardised": "standardise_site", "harmonised": "harmonise_site"}
    if wildcards.stage not in steps:
        return []
    found = per_site(f"{R}/checks/findings/{{site}}/{steps[wildcards.stage]}.csv")
    if wildcards.stage == "harmonised":
        found += history_files(f"{R}/checks/findings/{{site}}/derive_history.csv")
        found.append(f"{R}/checks/findings/compare_sites.csv")
    return found


def scheme_files(wildcards):
    """Return the endotypes an analysis is about, if it is about any."""
    analysis = STUDY.analyses[wildcards.analysis]
    named = analysis.get("bands") or analysis.get("within")
    return [f"{R}/restricted/endotypes/{named['scheme']}.parquet"] if named else []
