"""The code that a step runs as one digest: import closure without comments and docstrings, what it declares, lock."""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
PROJECT = PACKAGE.parents[1]

# Where the names in DECLARES lie. Schemas are not among them: every run validates the configuration against them
# before a job starts, and what they allow reaches a job as its settings.
DECLARED_FOLDERS = {
    "contracts": PACKAGE / "tables" / "contracts",
    "validate": PACKAGE / "validate",
    "templates": PROJECT / "reports" / "templates",
}

# Functions that open the contract they are given by name.
OPENERS = frozenset(
    {
        "contract", "conform", "empty_table", "polars_schema", "read_shares", "read_table", "read_tables",
        "table_writer", "write_table",
    }
)  # fmt: skip


def code_digest(step: str) -> str:
    """Return the SHA-256 of everything but data and configuration that decides what a step does.

    Parameters
    ----------
    step : str
        Name of a module in `ember.steps`, which is also the name of its rule.
    """
    digest = hashlib.sha256()
    modules = import_closure(f"ember.steps.{step}")
    for module in modules:
        digest.update(f"{module}\0{logic_of(module)}\0".encode())
    for declared in sorted({name for module in modules for name in declared_files(module)}):
        digest.update(declared.encode() + b"\0" + declared_path(declared).read_bytes() + b"\0")
    digest.update((PROJECT / "requirements.lock").read_bytes())
    return digest.hexdigest()


def import_closure(module: str) -> list[str]:
    """Return the modules of EMBER that a module imports, directly or not, itself included, sorted.

    Notes
    -----
    Imports are import statements, also those inside functions. A test forbids every other way to import.
    """
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(imports_of(name))
    return sorted(found)


@cache
def imports_of(module: str) -> frozenset[str]:
    """Return the modules of EMBER that one module names in import statements, and the packages they lie in."""
    names: set[str] = set()
    for node in ast.walk(_parsed(module)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    ours = {name for name in names if name.split(".")[0] == "ember" and _path(name) is not None}
    parents = {name.rsplit(".", count)[0] for name in ours for count in range(1, name.count(".") + 1)}
    return frozenset(ours | parents)


@cache
def logic_of(module: str) -> str:
    """Return the syntax tree of a module without comments, docstrings and places, as text."""
    tree = _parsed(module)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and _is_docstring(body[0]) and not isinstance(node, ast.If | ast.For):
            body[:] = body[1:] or [ast.Pass()]
    return ast.dump(tree, annotate_fields=False)


@cache
def declared_files(module: str) -> tuple[str, ...]:
    """Return the files besides Python that a module depends on: its constant DECLARES, and contracts it opens by name.

    Raises
    ------
    ValueError
        DECLARES is not a plain tuple of texts, which reading without running needs.
    """
    declared: set[str] = set()
    for node in _parsed(module).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == "DECLARES" for target in targets):
            declared.update(_literal(getattr(node, "value", None), module))
    return tuple(sorted(declared | _opened_contracts(module)))


def _literal(value: ast.expr | None, module: str) -> tuple[str, ...]:
    items = value.elts if isinstance(value, ast.Tuple) else [value]
    names = [item.value for item in items if isinstance(item, ast.Constant) and isinstance(item.value, str)]
    if not isinstance(value, ast.Tuple) or len(names) != len(items):
        raise ValueError(f"DECLARES of {module} must be a plain tuple of texts")
    return tuple(names)


def _opened_contracts(module: str) -> set[str]:
    calls = [node for node in ast.walk(_parsed(module)) if isinstance(node, ast.Call)]
    named = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id in OPENERS]
    texts = {a.value for call in named for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str)}
    return {f"contracts/{text}.yaml" for text in texts if (DECLARED_FOLDERS["contracts"] / f"{text}.yaml").is_file()}


def declared_path(declared: str) -> Path:
    """Return the path of a declared file, e.g. `contracts/ledger.yaml`."""
    folder, _, name = declared.partition("/")
    return DECLARED_FOLDERS[folder] / name


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _path(module: str) -> Path | None:
    base = PACKAGE.joinpath(*module.split(".")[1:])
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


@cache
def _parsed(module: str) -> ast.Module:
    path = _path(module)
    if path is None:
        raise FileNotFoundError(f"no module {module}")
    return ast.parse(path.read_bytes())
