"""The list of the versions of a study's report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ember.reporting.html import environment

TEMPLATES = Path(__file__).parents[3] / "reports" / "templates"


def render_index(title: str, study: str, versions: Sequence[str], current: str) -> str:
    """Return the page that lists every version, the current one marked; it holds no dates.

    Parameters
    ----------
    versions : sequence of str
        Names of the folders beside the page.
    current : str
        The version of the latest run.
    """
    template = environment().from_string((TEMPLATES / "index.html.j2").read_text(encoding="utf-8"))
    return template.render(title=title, study=study, versions=list(versions), current=current) + "\n"
