"""Bills of materials: CycloneDX 1.6 of the Python packages that run, and of the viewer's."""

import json
import subprocess
import sys
from pathlib import Path

from packaging.utils import canonicalize_name

from supply.dependencies import ROOT, list_python
from supply.npm import run_npm


def write_bills(folder: Path) -> list[Path]:
    """Write both into ``folder`` and return their paths; CalledProcessError when a tool fails."""
    folder.mkdir(parents=True, exist_ok=True)
    python, viewer = folder / "python.cdx.json", folder / "viewer.cdx.json"
    python.write_text(json.dumps(_describe_python(), indent=1, ensure_ascii=False) + "\n")
    viewer.write_text(describe_viewer())
    return [python, viewer]


def describe_viewer() -> str:
    """Return the bill of what becomes part of the viewer, as npm writes it from the lock."""
    said = run_npm("sbom", "--sbom-format=cyclonedx", "--package-lock-only", "--omit=dev")
    said.check_returncode()
    return said.stdout


def _describe_python() -> dict[str, object]:
    """Return the bill of the environment without what only development needs."""
    said = subprocess.run(
        [sys.executable, "-m", "cyclonedx_py", "environment", "--spec-version=1.6", "--output-reproducible",
         f"--pyproject={ROOT / 'pyproject.toml'}", "--mc-type=application", sys.executable],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    bill: dict[str, object] = json.loads(said.stdout)
    shipped = {canonicalize_name(one.name) for one in list_python()}
    parts = [one for one in _list(bill, "components") if canonicalize_name(one["name"]) in shipped]
    kept = {one["bom-ref"] for one in parts}
    kept.add(bill["metadata"]["component"]["bom-ref"])  # type: ignore[index]
    links = [
        {**one, "dependsOn": [ref for ref in one.get("dependsOn", ()) if ref in kept]}
        for one in _list(bill, "dependencies")
        if one["ref"] in kept
    ]
    return {**bill, "components": parts, "dependencies": links}


def _list(bill: dict[str, object], name: str) -> list[dict[str, str]]:
    found = bill.get(name, [])
    return found if isinstance(found, list) else []
