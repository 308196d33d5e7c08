"""Every proof by name."""

from __future__ import annotations

from tests.prove.dirty_extracts import dirty_extracts
from tests.prove.mixture_recovery import mixture_recovery
from tests.prove.proof import Proof
from tests.prove.simulated_consortia import simulated_consortia
from tests.prove.type_verdict import type_verdict
from tests.prove.unit_evidence import unit_evidence
from tests.prove.usual_level import usual_level

PROOFS: dict[str, Proof] = {
    proof.name: proof
    for proof in (simulated_consortia, dirty_extracts, unit_evidence, usual_level, type_verdict, mixture_recovery)
}
