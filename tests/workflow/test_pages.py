"""The published pages as a reader gets them: one file, no network, shown in a browser, every PDF page printed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from tests.workflow.conftest import Workspace

pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group(name="workflow")]

CHROMIUM = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


def tool(name: str) -> str:
    """Return the path of a program; its absence is a failure where the gate runs, and a skip elsewhere."""
    found = shutil.which(name)
    if found is None:
        message = f"{name} is not installed"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    return found


@pytest.fixture(scope="module")
def version(finished: Workspace) -> Path:
    return finished.versions[0]


def test_the_page_is_one_file_without_scripts_or_requests(version: Path) -> None:
    page = (version / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert not re.findall(r"""(?:src|href)=["'](?!#|data:)[^"']+""", page)
    assert not re.findall(r"url\((?!#|[\"']?data:)[^)]*\)|@import", page)


def test_every_figure_has_an_alternative(version: Path) -> None:
    page = (version / "report.html").read_text(encoding="utf-8")
    alternatives = re.findall(r"""<figure[^>]*role="img"[^>]*aria-label="([^"]+)\"""", page)
    assert len(alternatives) == page.count("<svg") >= 5
    assert all(len(words) > 40 for words in alternatives)
    assert page.count("The numbers behind the figure") >= len(alternatives)


@pytest.mark.parametrize("width", [pytest.param(1200, id="desk"), pytest.param(500, id="phone")])
def test_the_page_renders(version: Path, tmp_path: Path, width: int) -> None:
    picture = tmp_path / "page.png"
    command = [
        tool("chromium"), *CHROMIUM, f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={width},2400",
        f"--screenshot={picture}", (version / "report.html").as_uri(),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    colours = Image.open(picture).convert("RGB").getcolors(maxcolors=2**24)
    assert colours is not None and len(colours) > 50, "the picture is blank"


def test_every_page_of_the_pdf_prints(version: Path, tmp_path: Path) -> None:
    command = [tool("pdftoppm"), "-r", "40", "-png", str(version / "report.pdf"), str(tmp_path / "page")]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    pages = sorted(tmp_path.glob("page*.png"))
    assert len(pages) >= 3
    for page in pages:
        darkest, _ = Image.open(page).convert("L").getextrema()
        assert darkest < 128, f"{page.name} is blank"
