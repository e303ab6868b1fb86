"""``make clients``: foreign clients against a twin of their own, and a table of what each could do.

``python -m tests.clients [--only NAME] [--base URL] [--json]``; exit code 0 when all that could run passed.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass

from tests.clients import contracts, gdal, maplibre, ogc_client, owslib_client, pyqgis
from tests.clients.environments import MissingError
from tests.clients.serving import Wire
from tests.whole_twin import run_whole_twin

Check = Callable[[Wire], str]
# What writes a lot comes last: it leaves its traces in the city.
CHECKS: dict[str, Check] = {
    "gdal": gdal.check,
    "qgis-features": pyqgis.check_features,
    "qgis-maps": pyqgis.check_maps,
    "qgis-project": pyqgis.check_project,
    "qgis-esri": pyqgis.check_esri,
    "qgis-edit": pyqgis.check_edit,
    "owslib-features": owslib_client.check_features,
    "owslib-processes": owslib_client.check_processes,
    "owslib-wms": owslib_client.check_wms,
    "owslib-wmts": owslib_client.check_wmts,
    "ogc-client": ogc_client.check,
    "maplibre": maplibre.check,
    "openapi": contracts.check_description,
    "ogctests": contracts.check_features,
    "schemathesis": contracts.check_operations,
    "schemathesis-roles": contracts.check_roles,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one client: passed, failed or missing, with the reason, and how long it took [s]."""

    client: str
    state: str
    said: str
    seconds: float


def run_check(name: str, check: Check, wire: Wire) -> Outcome:
    """Return what became of a client."""
    began = time.monotonic()
    try:
        state, said = "passed", check(wire)
    except MissingError as error:
        state, said = "missing", str(error)
    except Exception as error:
        # Whatever a foreign client throws is its way to say that it could not do it.
        state, said = "failed", f"{type(error).__name__}: {error}"
    return Outcome(name, state, said, round(time.monotonic() - began, 1))


def main() -> int:
    """Run the clients that were asked for and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.clients", description=__doc__)
    parser.add_argument("--only", action="append", choices=list(CHECKS), help="only this client; may be repeated")
    parser.add_argument("--base", help="a running twin instead of one of their own; it is written to")
    parser.add_argument("--json", action="store_true", help="print JSON")
    asked = parser.parse_args()
    outcomes = []
    with (
        nullcontext(asked.base)
        if asked.base
        else run_whole_twin(TWIN_CALLBACK_HOSTS="127.0.0.1", TWIN_RATE_LIMIT="0") as base
    ):
        wire = Wire(base)
        for name in asked.only or CHECKS:
            outcome = run_check(name, CHECKS[name], wire)
            outcomes.append(outcome)
            if not asked.json:
                sys.stdout.write(f"{name:18} {outcome.state:8} {outcome.seconds:6.1f} s  {outcome.said}\n")
                sys.stdout.flush()
    if asked.json:
        sys.stdout.write(json.dumps([asdict(outcome) for outcome in outcomes], ensure_ascii=False, indent=1) + "\n")
    return int(any(outcome.state == "failed" for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
