# The only helpers. Parsing a study imports no data library: pyyaml and jsonschema, and the engine itself.
import fcntl
import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

sys.path.insert(0, str(Path(workflow.basedir).parent / "scripts"))

from ember.errors import EmberError
from ember.provenance import settings
from ember.provenance.code import code_digest
from ember.provenance.privacy_key import keep_fingerprint, pseudonym_key
from ember.registry.load import load_study

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
    PYTHONDONTWRITEBYTECODE="1",
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


def parent(path, levels):
    """Return the folder that many levels above a file."""
    return str(Path(path).parents[levels - 1])


def source_file(wildcards):
    return os.path.relpath(STUDY.sources[wildcards.source].path, STUDY.workspace)


def dictionary_file(wildcards):
    dictionary = STUDY.sources[wildcards.source].dictionary
    return [os.path.relpath(dictionary, STUDY.workspace)] if dictionary else []


def raw_files(wildcards):
    return [
        f"{R}/restricted/raw/{source}.parquet"
        for source in STUDY.sites[wildcards.site].sources
    ]


def source_config(wildcards):
    return settings.digest(settings.source_settings(STUDY, wildcards.source))


def site_config(wildcards):
    return settings.digest(settings.site_settings(STUDY, REGISTRY, wildcards.site))


def scheme_config(wildcards):
    return settings.digest(settings.scheme_settings(STUDY, REGISTRY, wildcards.scheme))


def analysis_config(wildcards):
    return settings.digest(
        settings.analysis_settings(STUDY, REGISTRY, wildcards.analysis)
    )


GATES = {
    "standardised": ("standard", ["participants", "visits", "measurements", "items"]),
    "harmonised": ("harmonised", ["participants", "visits", "measurements", "scores"]),
}


def gate_table(table):
    """Return the input function of one table of all sites, empty where the stage has no such table."""

    def files(wildcards):
        folder, tables = GATES[wildcards.stage]
        return (
            per_site(f"{R}/restricted/{folder}/{{site}}/{table}.parquet")
            if table in tables
            else []
        )

    return files


def gate_findings(wildcards):
    step = {"standardised": "standardise_site", "harmonised": "harmonise_site"}[
        wildcards.stage
    ]
    return per_site(f"{R}/checks/findings/{{site}}/{step}.csv")


def scheme_files(wildcards):
    """Return the endotypes an analysis is about, if it is about any."""
    bands = STUDY.analyses[wildcards.analysis].get("bands")
    return [f"{R}/restricted/endotypes/{bands['scheme']}.parquet"] if bands else []
