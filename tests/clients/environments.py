"""What the foreign clients need: made on first use below ``.run/clients``, or named so that a person can install it."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

FOLDER = ROOT / ".run" / "clients"
PYTHON_PACKAGES = ("ogctests==0.1.15", "schemathesis>=4.32,<5", "openapi-spec-validator>=0.7")
NODE_PACKAGES = ("@camptocamp/ogc-client@1.3.0",)
SYSTEM_PYTHON = Path("/usr/bin/python3")


class MissingError(Exception):
    """A client is not on this machine; the words say what to type."""


def find_tool(name: str, package: str) -> str:
    """Return the path of a program; MissingError names the Debian package that brings it."""
    found = shutil.which(name)
    if found is None:
        raise MissingError(f"{name} is not installed; type: apt-get install {package}")
    return found


def find_qgis() -> Path:
    """Return the Python that knows QGIS; MissingError says what to type when none does."""
    told = subprocess.run([SYSTEM_PYTHON, "-c", "import qgis.core"], capture_output=True, check=False)
    if told.returncode:
        raise MissingError("PyQGIS is not installed; type: apt-get install python3-qgis qgis-providers")
    return SYSTEM_PYTHON


def prepare_python() -> Path:
    """Return the folder of programs of an environment with the Python clients, made where it is not yet."""
    folder = FOLDER / "venv"
    _install(
        folder / "installed.txt",
        "\n".join(PYTHON_PACKAGES),
        [sys.executable, "-m", "venv", folder],
        [folder / "bin" / "python", "-m", "pip", "install", "--quiet", *PYTHON_PACKAGES],
    )
    return folder / "bin"


def prepare_node() -> Path:
    """Return the folder with the Node clients, filled where it is not yet."""
    folder = FOLDER / "js"
    folder.mkdir(parents=True, exist_ok=True)
    npm = find_tool("npm", "npm")
    install = [npm, "install", "--no-audit", "--no-fund", "--prefix", folder, *NODE_PACKAGES]
    _install(folder / "installed.txt", "\n".join(NODE_PACKAGES), install)
    return folder


def _install(ready: Path, what: str, *commands: list[str | Path]) -> None:
    if ready.exists() and ready.read_text(encoding="utf-8") == what:
        return
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
        if done.returncode:
            raise MissingError(f"{command[0]} failed: {done.stderr.strip().splitlines()[-1:]}")
    ready.write_text(what, encoding="utf-8")
