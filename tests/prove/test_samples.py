"""A fixed sample of every proof."""

from __future__ import annotations

import pytest

from tests.prove.proofs import PROOFS


@pytest.mark.parametrize("name", list(PROOFS), ids=str)
def test_a_sample_of_the_proof_holds(name: str) -> None:
    proof = PROOFS[name]
    verdict = proof.summarise([proof.case(seed) for seed in range(proof.sample)])
    assert verdict["passed"], verdict
