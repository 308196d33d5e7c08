"""The digest of a step's code: what moves it and what does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from ember.provenance import code

FILES = {
    "scripts/ember/__init__.py": "",
    "scripts/ember/steps/__init__.py": "",
    "scripts/ember/steps/one.py": '"""One."""\nfrom ember.helper import add\n\nDECLARES = ("templates/page.html",)\n',
    "scripts/ember/steps/two.py": "def later():\n    import ember.other\n\n    return ember.other.TEN\n",
    "scripts/ember/steps/plain.py": 'from ember.tables.store import read_table\n\nread_table("x", "visits")\n',
    "scripts/ember/helper.py": 'def add(a, b):\n    """Add."""\n    return a + b  # a sum\n',
    "scripts/ember/other.py": "TEN = 10\n",
    "scripts/ember/tables/__init__.py": "",
    "scripts/ember/tables/store.py": "def read_table(path, table):\n    return table\n",
    "scripts/ember/tables/contracts/visits.yaml": "table: visits\n",
    "scripts/ember/tables/contracts/scores.yaml": "table: scores\n",
    "reports/templates/page.html": "<p>",
    "requirements.lock": "polars==2.1.0\n",
}
STEPS = ("one", "two", "plain")


def forget() -> None:
    for function in (code.imports_of, code.logic_of, code.declared_files, code._parsed):
        function.cache_clear()


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A small project in place of EMBER's own, with the digests of its steps as a function."""
    package = tmp_path / "scripts" / "ember"
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(code, "PACKAGE", package)
    monkeypatch.setattr(code, "PROJECT", tmp_path)
    folders = {"contracts": package / "tables" / "contracts", "templates": tmp_path / "reports" / "templates"}
    monkeypatch.setattr(code, "DECLARED_FOLDERS", folders)
    forget()
    yield tmp_path
    forget()


def digests() -> dict[str, str]:
    forget()
    return {step: code.code_digest(step) for step in STEPS}


def changed_by(project: Path, name: str, text: str) -> set[str]:
    before = digests()
    (project / name).write_text(text, encoding="utf-8")
    after = digests()
    return {step for step in STEPS if before[step] != after[step]}


@pytest.mark.parametrize(
    ("name", "text", "moved"),
    [
        pytest.param(
            "scripts/ember/helper.py", 'def add(a, b):\n    """Add."""\n    return a + b\n', set(), id="comment_gone"
        ),
        pytest.param(
            "scripts/ember/helper.py", "def add(a, b):\n    '''Other\n    words.'''\n\n    return a+b\n", set(),
            id="docstring_and_layout",
        ),
        pytest.param(
            "scripts/ember/helper.py", '"""New."""\n\ndef add(a, b):\n    return a + b\n', set(), id="module_docstring"
        ),
        pytest.param("scripts/ember/helper.py", "def add(a, b):\n    return a - b\n", {"one"}, id="logic_of_a_helper"),
        pytest.param("scripts/ember/other.py", "TEN = 11\n", {"two"}, id="constant_behind_an_inner_import"),
        pytest.param("reports/templates/page.html", "<div>", {"one"}, id="template"),
        pytest.param(
            "scripts/ember/tables/contracts/visits.yaml", "table: v\n", {"plain"}, id="contract_opened_by_name"
        ),
        pytest.param("scripts/ember/tables/contracts/scores.yaml", "table: s\n", set(), id="contract_nobody_opens"),
        pytest.param("requirements.lock", "polars==2.1.1\n", set(STEPS), id="lock"),
        pytest.param("scripts/ember/new.py", "x = 1\n", set(), id="module_nobody_imports"),
    ],
)  # fmt: skip
def test_what_moves_a_digest(project, name, text, moved):
    assert changed_by(project, name, text) == moved


def test_a_text_that_is_no_docstring_counts(project):
    name = "scripts/ember/helper.py"
    (project / name).write_text('def add(a, b):\n    x = "one"\n    return x\n', encoding="utf-8")
    assert changed_by(project, name, 'def add(a, b):\n    x = "two"\n    return x\n') == {"one"}


def test_the_closure_holds_packages_and_inner_imports(project):
    assert code.import_closure("ember.steps.two") == ["ember", "ember.other", "ember.steps.two"]
    assert "ember.tables" in code.import_closure("ember.steps.plain")


def test_a_circle_of_imports_ends(project):
    (project / "scripts/ember/other.py").write_text("import ember.steps.two\n", encoding="utf-8")
    forget()
    assert code.import_closure("ember.other") == ["ember", "ember.other", "ember.steps", "ember.steps.two"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('DECLARES = ("a", *("b",))\n', id="starred"),
        pytest.param('DECLARES = tuple(["a"])\n', id="computed"),
        pytest.param('NAME = "a"\nDECLARES = (NAME,)\n', id="name"),
    ],
)
def test_a_declaration_that_must_be_run_is_refused(project, text):
    (project / "scripts/ember/steps/one.py").write_text(text, encoding="utf-8")
    forget()
    with pytest.raises(ValueError, match=r"DECLARES of ember\.steps\.one must be a plain tuple"):
        code.code_digest("one")


def test_a_declaration_may_carry_its_type(project):
    text = 'DECLARES: tuple[str, ...] = ("templates/page.html",)\n'
    (project / "scripts/ember/steps/one.py").write_text(text, encoding="utf-8")
    forget()
    assert code.declared_files("ember.steps.one") == ("templates/page.html",)


def test_a_declared_file_that_does_not_exist_is_an_error(project):
    (project / "reports/templates/page.html").unlink()
    forget()
    with pytest.raises(FileNotFoundError):
        code.code_digest("one")


def test_an_unknown_step_is_an_error(project):
    with pytest.raises(FileNotFoundError, match=r"ember\.steps\.none"):
        code.code_digest("none")
