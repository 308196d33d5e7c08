"""List the evidence under docs/evidence whose code has changed since (`make test` ends with it)."""

from __future__ import annotations

import json

from ember.provenance.code import code_digest
from ember.provenance.settings import STEPS, digest
from tests.prove.proof import EVIDENCE
from tests.prove.proofs import PROOFS


def stale() -> dict[str, str]:
    """Return the evidence that is absent or older than its code, with the command that refreshes it."""
    expected = {name: (proof.code(), f"make prove, or python -m tests.prove {name}") for name, proof in PROOFS.items()}
    expected["bench"] = (digest({step: code_digest(step) for step in STEPS}), "make bench")
    found = {}
    for name, (code, command) in expected.items():
        path = EVIDENCE / f"{name}.json"
        if not path.exists() or json.loads(path.read_text(encoding="utf-8"))["code"] != code:
            found[name] = command
    return found


def main() -> None:
    found = stale()
    for name, command in found.items():
        print(f"stale evidence: {name} ({command})")
    if not found:
        print("evidence: up to date")


if __name__ == "__main__":
    main()
