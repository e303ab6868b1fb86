"""What runs where the product runs: the closure of its Python dependencies, and of the viewer's."""

import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Dependency:
    """One package that is shipped; ``licence`` as the package says it, ``classifiers`` its licences in other words."""

    kind: str
    name: str
    version: str
    licence: str
    classifiers: tuple[str, ...] = ()


def list_python() -> list[Dependency]:
    """Return the Python packages needed at run time; PackageNotFoundError for one that is not installed."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    return [_describe(found) for _, found in sorted(_walk(declared).items())]


def list_viewer() -> list[Dependency]:
    """Return the npm packages that become part of the viewer, as its lock names them."""
    packages = json.loads((ROOT / "web" / "package-lock.json").read_text())["packages"]
    return [
        Dependency("npm", path.rpartition("node_modules/")[2], one["version"], str(one.get("license", "")))
        for path, one in packages.items()
        if path and not one.get("dev")
    ]


def _walk(requirements: list[str]) -> dict[str, Distribution]:
    found: dict[str, Distribution] = {}
    waiting = [(Requirement(line), "") for line in requirements]
    seen: set[tuple[str, str]] = set()
    while waiting:
        wanted, extra = waiting.pop()
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(wanted.name)
        for chosen in ("", *sorted(wanted.extras)):
            if (name, chosen) in seen:
                continue
            seen.add((name, chosen))
            found[name] = distribution(name)
            waiting += [(Requirement(line), chosen) for line in found[name].requires or ()]
    return found


def _describe(found: Distribution) -> Dependency:
    said = found.metadata.json
    classifiers = tuple(
        line.rpartition(" :: ")[2] for line in said.get("classifier", ()) if line.startswith("License ::")
    )
    # Some put the whole text where the name belongs.
    words = str(said.get("license") or "").splitlines()
    first = next((line.strip() for line in words if line.strip()), "")
    return Dependency(
        "pypi", str(said["name"]), found.version, str(said.get("license_expression") or first), classifiers
    )


def write_runtime_lock() -> Iterator[str]:
    """Give the lines of ``requirements.lock`` without the packages that only development needs."""
    wanted = {canonicalize_name(one.name) for one in list_python()}
    kept = False
    for line in (ROOT / "requirements.lock").read_text().splitlines():
        if line and not line.startswith((" ", "#")):
            kept = canonicalize_name(Requirement(line.partition("\\")[0].strip()).name) in wanted
        if kept:
            yield line
