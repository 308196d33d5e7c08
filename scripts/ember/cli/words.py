"""Words that several commands say."""

from __future__ import annotations

STUDY_HELP = "a study under config/studies, or a folder with a study.yaml"


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number and what it counts: "1 site", "2,000 sites"; `many` where an s does not do."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
