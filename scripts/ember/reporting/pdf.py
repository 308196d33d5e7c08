"""The report as a tagged PDF, set by Typst from the same blocks."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ember.reporting.blocks import Report


def render_pdf(report: Report, templates: Path) -> bytes:
    """Return the PDF.

    Parameters
    ----------
    templates : Path
        Folder with report.typ.

    Notes
    -----
    No date, and no fonts of the machine: text is set in DejaVu Sans as it comes with matplotlib, so the same
    report gives the same bytes.
    """
    import matplotlib
    import typst

    fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "report.typ").write_text((templates / "report.typ").read_text(encoding="utf-8"), encoding="utf-8")
        (root / "report.json").write_text(json.dumps(_content(report, root), ensure_ascii=False), encoding="utf-8")
        pdf: bytes = typst.compile(
            str(root / "report.typ"), root=str(root), font_paths=[str(fonts)], ignore_system_fonts=True, format="pdf"
        )
        return pdf


def _content(report: Report, root: Path) -> dict[str, Any]:
    """Return the report as JSON, its figures as files beside it."""
    for figure in report.figures:
        (root / f"{figure.id}.svg").write_text(figure.svg, encoding="utf-8")
    content = asdict(report)
    _without_drawings(content)
    return content


def _without_drawings(part: Any) -> None:
    if isinstance(part, dict):
        part.pop("svg", None)
        for value in part.values():
            _without_drawings(value)
    elif isinstance(part, list):
        for value in part:
            _without_drawings(value)
