"""The rules find the faults planted in the demo city, and no other error in it."""

import re
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from sqlalchemy import Engine

from layers.registry import VECTOR_LAYERS
from layers.rules.registry import RULES
from layers.rules.words import Finding
from layers.store.checks import check_layer
from layers.store.features import upsert_features

LAYERS = (
    "wards", "buildings", "water_nodes", "water_pipes", "water_valves", "water_pumps", "transformers",
    "telecom_cabinets", "discharge_permits", "addresses", "drainage_nodes", "drainage_links", "luminaires",
    "lighting_circuits", "lighting_cabinets",
)  # fmt: skip
# What a rule finds in these layers names things of layers that are not loaded here.
LEFT_OUT = re.compile("(dma|pole|substation)-id-exists")


@pytest.fixture(scope="module")
def findings(engine: Engine, demo_tables: dict[str, gpd.GeoDataFrame], demo_folder: Path) -> list[Finding]:
    spoilt = pd.read_csv(demo_folder / "faults.csv")["layer"]
    loaded = {*LAYERS, *spoilt}
    with engine.begin() as connection:
        for layer in sorted(loaded):
            upsert_features(connection, VECTOR_LAYERS[layer], demo_tables[layer], source_id="demo")
    rules = [rule for rule in RULES if rule.layer in loaded and not LEFT_OUT.fullmatch(rule.id)]
    with engine.connect() as connection:
        return [one for rule in rules for one in check_layer(connection, rule, limit=10_000).findings]


def test_every_planted_fault_is_found(findings: list[Finding], demo_folder: Path) -> None:
    planted = pd.read_csv(demo_folder / "faults.csv")
    named = {(one.layer, name) for one in findings for name in (one.feature, one.other)}
    # A leak is in no record: readings tell it (test_leak_demo).
    written = planted[planted["kind"] != "leak"]
    missed = [row for row in written[["layer", "item"]].itertuples(index=False, name=None) if row not in named]
    assert len(planted) >= 10
    assert missed == []


def test_the_errors_are_those_planted(findings: list[Finding], demo_folder: Path) -> None:
    planted = pd.read_csv(demo_folder / "faults.csv")
    errors = {(one.layer, one.feature) for one in findings if one.severity == "error"}
    assert errors
    assert errors <= set(planted[["layer", "item"]].itertuples(index=False, name=None))
