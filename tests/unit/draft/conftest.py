"""Drafts of the demo study and of real files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from ember.draft.files import files_of
from ember.draft.grouping import common_folder
from ember.draft.lexicon import Lexicon
from ember.draft.profile import Profile, profile_of
from ember.draft.site import SiteDraft, draft_site
from ember.draft.tools import Tools, tools_of
from ember.extract.table import ColumnInfo
from ember.registry.load import PROJECT
from ember.registry.registry import Registry, read_registry
from tests.real_data import real_file

DraftFiles = Callable[..., SiteDraft]


@pytest.fixture(scope="session")
def registry() -> Registry:
    return read_registry(PROJECT / "config" / "registry")


@pytest.fixture(scope="session")
def lexicon(tools: Tools) -> Lexicon:
    return tools.lexicon


@pytest.fixture(scope="session")
def tools(registry: Registry) -> Tools:
    return tools_of(registry)


@pytest.fixture(scope="session")
def draft_files(tools: Tools) -> DraftFiles:
    """Draft one site of the given files."""

    def draft(*files: Path, site: str = "site") -> SiteDraft:
        paths = [file.resolve() for file in files]
        return draft_site(site, files_of(paths, site, common_folder(paths)), tools)

    return draft


@pytest.fixture(scope="session", name="real_file")
def finds_real_files() -> Callable[[str], Path]:
    """Return the path of a real file, or skip if the folder is not there (fail if it is required)."""
    return real_file


@pytest.fixture(scope="session")
def profile_of_numbers() -> Callable[[list[float]], Profile]:
    """Return a column of numbers in aggregate."""

    def make(numbers: list[float]) -> Profile:
        return profile_of(pl.Series("x", [f"{number:g}" for number in numbers]), ColumnInfo(), ())

    return make
