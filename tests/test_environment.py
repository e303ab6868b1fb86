"""One list of packages: pyproject.toml, the lock and environment.yml agree; the settings are documented."""

import re
import tomllib

import yaml

from tests.conftest import ROOT
from twin.settings import Settings

# The same package under conda-forge's name.
CONDA_NAMES = {"prometheus-client": "prometheus_client", "uvicorn": "uvicorn-standard"}


def parse(requirement: str) -> tuple[str, str]:
    name, bound = re.fullmatch(r"([A-Za-z0-9_-]+)(?:\[[\w,]+\])?(>=[\w.]+)", requirement).groups()  # type: ignore[union-attr]
    return name, bound


def test_conda_environment_equals_pyproject() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {CONDA_NAMES.get(name, name): bound for name, bound in map(parse, project["dependencies"])}
    # conda-forge splits the pool off psycopg.
    wanted["psycopg-pool"] = wanted["psycopg"]
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    pip = next(entry["pip"] for entry in environment if isinstance(entry, dict))
    listed = [entry for entry in environment if isinstance(entry, str)] + [entry for entry in pip if entry != "-e ."]
    given = dict(parse(entry) for entry in listed if entry not in ("postgresql", "postgis", "pip"))
    system = {"python": project["requires-python"], "nodejs": ">=22.0"}
    assert given == wanted | system


def test_lock_holds_every_dependency_with_hashes_and_no_host() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    pinned = set(re.findall(r"^([a-z0-9-]+)==", lock, re.MULTILINE))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {parse(entry)[0] for entry in project["dependencies"] + project["optional-dependencies"]["dev"]}
    assert wanted <= pinned, f"run `make lock`: {wanted - pinned} are not locked"
    assert not re.search(r"https?://|--index-url|--find-links", lock)
    assert all("--hash=sha256:" in block for block in re.split(r"\n(?=[a-z0-9-]+==)", lock))


def test_viewer_lock_names_no_host() -> None:
    assert "resolved" not in (ROOT / "web" / "package-lock.json").read_text()


def test_every_setting_is_in_the_example() -> None:
    example = (ROOT / ".env.example").read_text()
    named = set(re.findall(r"^#?(TWIN_[A-Z0-9_]+)=", example, re.MULTILINE))
    assert named == {f"TWIN_{name.upper()}" for name in Settings.model_fields}
    for field in Settings.model_fields.values():
        assert field.description in example
