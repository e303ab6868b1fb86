"""``python -m supply``: licences, weaknesses, bill of materials, lock of what runs."""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from supply.advisories import audit
from supply.bill import write_bills
from supply.dependencies import list_python, list_viewer, write_runtime_lock
from supply.licences import EXCEPTIONS, judge, read_licence


def main() -> int:
    """Carry out one of the words and return its exit code."""
    parser = argparse.ArgumentParser(prog="supply", description=__doc__)
    words = parser.add_subparsers(dest="word", required=True)
    asked = words.add_parser("licences", help="check the licence of all that is shipped")
    asked.add_argument("--json", action="store_true", help="print every dependency with its licence")
    asked = words.add_parser("audit", help="look for known weaknesses")
    asked.add_argument("--lenient", action="store_true", help="an advisory service out of reach is no failure")
    asked = words.add_parser("sbom", help="write bills of materials, CycloneDX in JSON")
    asked.add_argument("--out", type=Path, default=Path("sbom"), help="the folder; sbom/ by default")
    words.add_parser("lock", help="print the part of requirements.lock that runs")
    wanted = parser.parse_args()
    if wanted.word == "licences":
        return _check_licences(as_json=wanted.json)
    if wanted.word == "audit":
        return audit(lenient=wanted.lenient)
    if wanted.word == "sbom":
        for path in write_bills(wanted.out):
            print(path)
        return 0
    print("\n".join(write_runtime_lock()))
    return 0


def _check_licences(*, as_json: bool) -> int:
    shipped = [*list_python(), *list_viewer()]
    if as_json:
        found = [{"kind": one.kind, "name": one.name, "version": one.version, "licence": read_licence(one)}
                 for one in shipped]  # fmt: skip
        print(json.dumps(found, indent=1))
    refused = judge(shipped)
    for one, reason in refused:
        sys.stderr.write(f"supply: {one.kind} {one.name} {one.version}: {reason}\n")
    if not (refused or as_json):
        named = sum(one.name in EXCEPTIONS for one in shipped)
        print(f"Licences: {len(shipped)} shipped packages may be shipped, {named} of them named exceptions")
    return 1 if refused else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as error:
        sys.exit(f"supply: {' '.join(map(str, error.cmd))[:200]} failed: {(error.stderr or '')[-500:]}")
