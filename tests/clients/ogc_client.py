"""@camptocamp/ogc-client, which GeoNetwork-UI and geOrchestra read services with, in Node."""

import subprocess

from tests.clients.environments import find_tool, prepare_node
from tests.clients.serving import Wire
from tests.conftest import ROOT


def check(wire: Wire) -> str:
    """Return what was checked; AssertionError says what does not hold."""
    command = [find_tool("node", "nodejs"), ROOT / "tests" / "clients" / "ogc_client.mjs", wire.base, prepare_node()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-600:]
    return done.stdout.strip()
