"""`make prove`: run the long proofs, or those named, and write docs/evidence."""

from __future__ import annotations

import argparse

from tests.prove.proof import prove
from tests.prove.proofs import PROOFS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(PROOFS)}; default all")
    parser.add_argument("--count", type=int, help="cases; default as declared")
    arguments = parser.parse_args()
    failed = []
    for name in arguments.names or PROOFS:
        evidence = prove(PROOFS[name], arguments.count)
        print(f"{name}: {'passed' if evidence['passed'] else 'FAILED'}  {PROOFS[name].claim}")
        failed += [] if evidence["passed"] else [name]
    raise SystemExit(1 if failed else 0)


if __name__ == "__main__":
    main()
