"""What a step imports is what its digest says, and nothing heavier than it needs."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from ember.provenance import code

SCRIPTS = code.PACKAGE.parent
SOURCES = sorted(code.PACKAGE.rglob("*.py"))
STEPS = sorted(path.stem for path in (code.PACKAGE / "steps").glob("*.py") if path.stem not in ("__init__", "command"))
LIGHT_STEPS = (
    "read_source",
    "standardise_site",
    "harmonise_site",
    "derive_endotypes",
    "build_analysis_set",
    "fit_models",
)
HEAVY = ("pandas", "statsmodels", "scipy.stats", "matplotlib", "great_expectations")
DATA = ("polars", "numpy", "pandas", "pyarrow")
CONTRACTS = {path.stem for path in (code.PACKAGE / "tables" / "contracts").glob("*.yaml")}

# Words in modules that also open contracts under a computed name, which there name a file and not a contract.
FILE_NAMES = {
    "ember.reporting.aggregate": {"endotypes", "accounting"},
    "ember.steps.standardise_site": {"measurements"},
}


def shown(path: Path) -> str:
    return path.relative_to(SCRIPTS).as_posix()


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def loaded(module: str) -> frozenset[str]:
    """Return what is in sys.modules of a new interpreter after importing one module."""
    program = f"import sys, {module}; print('\\n'.join(sys.modules))"
    environment = {**os.environ, "PYTHONPATH": str(SCRIPTS)}
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
    return frozenset(found.stdout.split())


@pytest.mark.parametrize("path", [pytest.param(path, id=shown(path)) for path in SOURCES])
def test_nothing_is_imported_or_run_but_by_import_statements(path):
    names = {node.id for node in ast.walk(tree_of(path)) if isinstance(node, ast.Name)}
    assert not names & {"__import__", "exec", "eval", "compile"}
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            assert not [alias.name for alias in node.names if alias.name.split(".")[0] in ("importlib", "runpy")]
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import is not in the closure"
            assert (node.module or "").split(".")[0] not in ("importlib", "runpy")


def test_package_files_are_empty():
    assert [shown(path) for path in SOURCES if path.name == "__init__.py" and path.stat().st_size] == []


@pytest.mark.parametrize("step", [pytest.param(step, id=step) for step in STEPS])
def test_the_closure_is_what_python_loads(step):
    ours = {name for name in loaded(f"ember.steps.{step}") if name.split(".")[0] == "ember"}
    # Imports inside functions are in the closure before they are loaded.
    assert ours <= set(code.import_closure(f"ember.steps.{step}"))


@pytest.mark.parametrize("step", [pytest.param(step, id=step) for step in LIGHT_STEPS])
def test_the_path_of_the_data_loads_no_heavy_library(step):
    assert "polars" in loaded(f"ember.steps.{step}")
    assert not [name for name in HEAVY if name in loaded(f"ember.steps.{step}")]


@pytest.mark.parametrize(
    "module",
    [pytest.param(f"ember.{name}", id=name) for name in ("registry.load", "provenance.settings", "provenance.code")],
)
def test_parsing_a_study_loads_no_data_library(module):
    assert module in loaded(module)
    assert not [name for name in DATA if name in loaded(module)]


def test_only_the_gates_use_great_expectations():
    users = set()
    for path in SOURCES:
        for node in ast.walk(tree_of(path)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if any(name.split(".")[0] == "great_expectations" for name in names):
                users.add(path.parent.name)
    assert users == {"validate"}


def named_where_opened_by_variable(module: str) -> set[str]:
    """Return contracts whose names stand in a module that opens contracts under a name it computes."""
    path = code._path(module)
    assert path is not None
    calls = [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.Call)]
    at = {
        "contract": 0,
        "polars_schema": 0,
        "empty_table": 0,
        "conform": 1,
        "read_table": 1,
        "read_tables": 1,
        "read_shares": 1,
        "table_writer": 1,
        "write_table": 2,
    }
    computed = [
        call
        for call in calls
        if isinstance(call.func, ast.Name)
        and call.func.id in at
        and len(call.args) > at[call.func.id]
        and not isinstance(call.args[at[call.func.id]], ast.Constant)
    ]
    if not computed or module.startswith("ember.tables."):
        return set()
    texts = {node.value for node in ast.walk(tree_of(path)) if isinstance(node, ast.Constant)}
    return {text for text in texts if isinstance(text, str) and text in CONTRACTS} - FILE_NAMES.get(module, set())


@pytest.mark.parametrize("step", [pytest.param(step, id=step) for step in STEPS])
def test_every_contract_that_a_step_opens_is_declared(step):
    closure = code.import_closure(f"ember.steps.{step}")
    declared = {name for module in closure for name in code.declared_files(module)}
    opened = {name for module in closure for name in named_where_opened_by_variable(module)}
    assert {f"contracts/{name}.yaml" for name in opened} <= declared


@pytest.mark.parametrize("step", [pytest.param(step, id=step) for step in STEPS])
def test_declared_files_exist(step):
    closure = code.import_closure(f"ember.steps.{step}")
    declared = {name for module in closure for name in code.declared_files(module)}
    assert [name for name in declared if not code.declared_path(name).is_file()] == []


@pytest.mark.parametrize("step", [pytest.param(step, id=step) for step in STEPS])
def test_the_rules_are_declared_wherever_the_ledger_is_used(step):
    closure = code.import_closure(f"ember.steps.{step}")
    declared = {name for module in closure for name in code.declared_files(module)}
    assert ("ember.validate.ledger" in closure) <= ("validate/rules.yaml" in declared)
