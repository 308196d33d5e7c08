"""README.md of a drafted study: what is left to do."""

from __future__ import annotations

from collections.abc import Sequence

from ember.draft.site import SiteDraft

HEAD = """\
# {study}: a draft

`ember init` wrote this folder from the extracts alone. It proposes; people decide. `draft.csv` has every proposal with
its evidence and confidence. Data stay where they are, and no cell of theirs stands here other than codes that at least
five cells hold or that the file itself declares.

## What is left to do

1. `study.yaml`: write the question, settle the windows of the visits and whatever is marked OPEN there.
2. In each file of `sites/`, settle the lines marked OPEN, and confirm those marked CHECK against the codebook. A unit
   is only stated where a header, a label, a dictionary or a unit column states it: ask the laboratory for the others.
3. Take each settled point out of `open_points:`, and the key itself when none is left. While it stands, `ember check`
   refuses the study.
4. Add what no extract tells: specimen and assay of each measurement (`config/registry/assays.csv`).
5. Edit `endotypes/` and `analyses/first.yaml`: they are examples, not proposals.
6. Restricted data need a key: `ember init --key PATH` makes one; name it in EMBER_KEY_FILE.
7. `ember check` until it is silent, then `ember run`.

## Open points by site

"""


def readme_text(study: str, sites: Sequence[SiteDraft]) -> str:
    """Return the README of a draft with its open points."""
    parts = [HEAD.format(study=study)]
    for site in sites:
        parts.append(f"### {site.id}\n\n")
        parts += [f"- {proposal.sentence()}\n" for proposal in site.open_points] or ["- none\n"]
        parts.append("\n")
    return "".join(parts).rstrip("\n") + "\n"
