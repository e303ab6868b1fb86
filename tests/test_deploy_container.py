"""The compose file names commands and settings that exist, and every container is closed where it can be."""

import re
from typing import Any

import yaml

from tests.conftest import ROOT
from twin.commands.table import COMMANDS
from twin.settings import Settings

FOLDER = ROOT / "deploy" / "container"
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yml").read_text())
OURS = {name: one for name, one in COMPOSE["services"].items() if one["image"] == "city-twin"}


def test_services_run_commands_that_exist() -> None:
    assert {"server-1", "server-2", "worker-1", "worker-2", "migrate", "alarms", "warnings"} <= set(OURS)
    for name, one in OURS.items():
        assert one["command"][0] in COMMANDS, name


def test_every_container_of_ours_is_closed() -> None:
    for name, one in OURS.items():
        assert one["read_only"] and one["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in one["security_opt"], name
        assert "ports" not in one or name == "broker", name


def test_settings_exist_and_secrets_are_files() -> None:
    known = {f"TWIN_{field.upper()}" for field in Settings.model_fields}
    for name, one in OURS.items():
        assert set(one["environment"]) <= known, name
        assert {secret.upper() for secret in one["secrets"]} <= known, name
    said = (FOLDER / "compose.yml").read_text()
    assert not re.search(r"PASSWORD:\s*\S", said)
    assert set(COMPOSE["secrets"]) == {"postgres_password", "twin_database_url", "twin_write_token"}


def test_images_have_a_version_and_ours_runs_as_nobody_special() -> None:
    recipe = (FOLDER / "Containerfile").read_text()
    images = [one["image"] for one in COMPOSE["services"].values() if one["image"] != "city-twin"]
    for image in (*images, *re.findall(r"^ARG BASE=(\S+)", recipe, re.MULTILINE)):
        assert ":" in image.rpartition("/")[2] and not image.endswith(":latest"), image
    last = recipe.rpartition("\nFROM ")[2]
    assert re.findall(r"^USER (\S+)", last, re.MULTILINE) == ["twin"]
    for word in ("HEALTHCHECK", "STOPSIGNAL SIGTERM", "ENTRYPOINT"):
        assert word in last


def test_what_is_nobodys_business_stays_out_of_the_image() -> None:
    left_out = set((ROOT / ".dockerignore").read_text().split())
    assert {".git", ".env", ".venv", ".run", "data"} <= left_out
