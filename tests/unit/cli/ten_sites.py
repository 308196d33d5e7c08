"""A study of ten sites: the demo's four, and six more that are like them and read copies of their files."""

from __future__ import annotations

import shutil
from pathlib import Path

import yaml

from ember.registry.load import PROJECT

LIKE = {
    "braga": "porto", "faro": "porto", "evora": "porto", "malmo": "lund", "umea": "lund", "linz": "graz",
}  # fmt: skip


def write_ten_sites(parent: Path) -> Path:
    """Write the study and its extracts under `parent` and return its folder."""
    folder = parent / "ten"
    shutil.copytree(PROJECT / "config" / "studies" / "demo", folder)
    shutil.copytree(PROJECT / "resources" / "demo", folder / "extracts")
    file = folder / "study.yaml"
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    content["study"], content["data"] = "ten", {"folder": "extracts"}
    for site, like in LIKE.items():
        declared = content["sources"][like]
        copied = f"{site}/{Path(declared['path']).name}"
        shutil.copytree(folder / "extracts" / like, folder / "extracts" / site)
        content["sources"][site] = {**declared, "path": copied}
        content["sites"].append(site)
        (folder / "sites" / f"{site}.yaml").write_text(f"site: {site}\nlike: {like}\nfrom: {site}\n", encoding="utf-8")
    file.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")
    log = folder / "decisions.csv"
    log.write_text(log.read_text(encoding="utf-8").replace(",hscrp,graz,", ",hscrp,graz;linz,"), encoding="utf-8")
    return folder
