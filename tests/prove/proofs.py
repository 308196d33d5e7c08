"""Every proof by name."""

from __future__ import annotations

from tests.prove.dirty_extracts import dirty_extracts
from tests.prove.proof import Proof
from tests.prove.simulated_consortia import simulated_consortia
from tests.prove.unit_evidence import unit_evidence

PROOFS: dict[str, Proof] = {proof.name: proof for proof in (simulated_consortia, dirty_extracts, unit_evidence)}
