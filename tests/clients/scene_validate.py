"""Khronos' glTF validator over every content of a scene.

``python -m tests.clients.scene_validate [ADDRESS|FOLDER]``; without one it serves a city of its own. Prints what was
found and exits with 1 when that is an error or a warning. The validator is installed on first use.
"""

import argparse
import contextlib
import json
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

from tests.clients.scene_files import walk_tiles
from tests.clients.scene_tools import install, serve_city
from tests.conftest import ROOT

_A_RUN = 200


def fetch_scene(address: str, folder: Path) -> None:
    """Write a served scene into ``folder``."""
    base = f"{address}/3d/buildings/"
    with urllib.request.urlopen(f"{base}tileset.json", timeout=120) as answer:
        (folder / "tileset.json").write_bytes(answer.read())
    for tile, _ in walk_tiles(json.loads((folder / "tileset.json").read_bytes())["root"]):
        if "content" in tile:
            path = folder / tile["content"]["uri"]
            path.parent.mkdir(parents=True, exist_ok=True)
            with urllib.request.urlopen(base + tile["content"]["uri"], timeout=120) as answer:
                path.write_bytes(answer.read())


def validate(paths: list[Path]) -> dict[str, Any]:
    """Return the validator's report by file."""
    node = shutil.which("node") or "node"
    script = ROOT / "tests" / "clients" / "scene_validate.cjs"
    validator = install("gltf-validator") / "gltf-validator"
    report: dict[str, Any] = {}
    for first in range(0, len(paths), _A_RUN):
        words: list[str | Path] = [node, script, validator, *paths[first : first + _A_RUN]]
        report |= json.loads(subprocess.run(words, capture_output=True, check=True, timeout=600).stdout)
    return report


def main() -> int:
    """Read the argument, validate, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scene", nargs="?", help="a running server, as http://127.0.0.1:8000, or a built folder")
    given = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = Path(given.scene or "")
        if given.scene is None or "://" in given.scene:
            address = given.scene or stack.enter_context(serve_city())
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            fetch_scene(address, folder)
        report = validate(sorted(folder.rglob("*.glb")))
    errors, warnings = (sum(found[kind] for found in report.values()) for kind in ("errors", "warnings"))
    messages = Counter((each["code"], each["severity"]) for found in report.values() for each in found["messages"])
    triangles = sum(found["triangles"] for found in report.values())
    print(f"{len(report):,} GLB, {triangles:,} triangles: {errors} errors, {warnings} warnings; {dict(messages)}")
    return 1 if errors or warnings else 0


if __name__ == "__main__":
    sys.exit(main())
