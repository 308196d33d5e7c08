"""What a proof is: seeded cases, a verdict over all of them, and the code that it is about."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ember.provenance.code import import_closure, logic_of
from ember.provenance.settings import digest
from ember.tables.files import replacing

PROJECT = Path(__file__).parents[2]
EVIDENCE = PROJECT / "docs" / "evidence"
SCRATCH = PROJECT / "build" / "prove"
CHUNK = 50

Record = dict[str, Any]


@dataclass(frozen=True)
class Proof:
    """A claim that many seeded cases bear out.

    `case` takes a seed and returns one record; `summarise` takes all records and returns the verdict, with the key
    `passed`; `publish`, if any, takes the evidence and renews the pages under docs that show it. `modules` are the
    modules under proof: evidence is stale once one of them, or what it imports, changes.
    """

    name: str
    claim: str
    modules: tuple[str, ...]
    count: int
    sample: int
    case: Callable[[int], Record]
    summarise: Callable[[Sequence[Record]], Record]
    publish: Callable[[Record], None] | None = None

    def code(self) -> str:
        """Return the digest of the code under proof."""
        closure = sorted({name for module in self.modules for name in import_closure(module)})
        return digest({module: logic_of(module) for module in closure})


def prove(proof: Proof, count: int | None = None, workers: int = 2) -> Record:
    """Run every case that has not been run with this code, and write the evidence."""
    count = count or proof.count
    folder = SCRATCH / proof.name / proof.code()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    chunks = [(start, min(CHUNK, count - start)) for start in range(0, count, CHUNK)]
    files = {chunk: folder / f"{chunk[0]}-{chunk[1]}.json" for chunk in chunks}
    waiting = [chunk for chunk in chunks if not files[chunk].exists()]
    with ProcessPoolExecutor(workers) as pool:
        done = pool.map(_chunk, [proof.name] * len(waiting), *zip(*waiting, strict=True)) if waiting else []
        for chunk, records in zip(waiting, done, strict=True):
            with replacing(files[chunk]) as temporary:
                temporary.write_text(json.dumps(records), encoding="utf-8")
    records = [record for chunk in chunks for record in json.loads(files[chunk].read_text(encoding="utf-8"))]
    evidence = {"claim": proof.claim, "seeds": [0, count - 1], "code": proof.code(), **proof.summarise(records)}
    EVIDENCE.mkdir(parents=True, exist_ok=True)
    (EVIDENCE / f"{proof.name}.json").write_text(json.dumps(evidence, indent=1) + "\n", encoding="utf-8")
    if proof.publish is not None:
        proof.publish(evidence)
    return evidence


def _chunk(name: str, start: int, count: int) -> list[Record]:
    from tests.prove.proofs import PROOFS

    return [PROOFS[name].case(seed) for seed in range(start, start + count)]
