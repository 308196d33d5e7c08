"""The report as one HTML file that needs nothing else: style, figures and tables inline, no scripts."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from ember.reporting.blocks import Report
from ember.reporting.figure_style import themed


def render_html(report: Report, templates: Path) -> str:
    """Return the page.

    Parameters
    ----------
    templates : Path
        Folder with report.html.j2 and report.css.
    """
    style = (templates / "report.css").read_text(encoding="utf-8")
    template = environment().from_string((templates / "report.html.j2").read_text(encoding="utf-8"))
    return template.render(report=report, style=Markup(style)) + "\n"


def environment() -> Environment:
    """Return the template environment: everything escaped, a missing name is an error."""
    made = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters["figure"] = lambda svg: Markup(themed(svg))
    return made
