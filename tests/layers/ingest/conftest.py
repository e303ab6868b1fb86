"""What the import tests share: sources made of a few words, small files, and counts of what is stored."""

from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from sqlalchemy import Engine, text

from layers.ingest.catalog import Source, Words

MAPPINGS = Path(__file__).resolve().parents[2] / "mappings"


@pytest.fixture
def make_source() -> Callable[..., Source]:
    """Return a function that makes a source of features from a path and what differs from the usual."""

    def make(path: Path, **given: str) -> Source:
        words = {"id": "test", "layer": "", "licence": "CC0-1.0", "attribution": "test", **given}
        return Source(uri=str(path), title=Words(vi="thử", en="test"), **words)  # type: ignore[arg-type]

    return make


@pytest.fixture
def count_rows(engine: Engine) -> Callable[[], dict[str, int]]:
    """Return a function that counts what an import could have written."""

    def count() -> dict[str, int]:
        tables = ("city.trees", "city.buildings", "city.road_links", "meta.source", "meta.load", "meta.quarantine")
        with engine.connect() as connection:
            return {name: connection.execute(text(f"select count(*) from {name}")).scalar_one() for name in tables}

    return count


@pytest.fixture
def tree_frame() -> Callable[[int], gpd.GeoDataFrame]:
    """Return a function that makes so many trees in Can Tho, in WGS 84, with the columns of the layer."""

    def make(count: int) -> gpd.GeoDataFrame:
        steps = np.arange(count)
        return gpd.GeoDataFrame(
            {"id": [f"t{i}" for i in steps], "species": "Dầu rái", "height": 5.0 + steps % 20},
            geometry=shapely.points(105.75 + 0.0001 * (steps % 300), 10.02 + 0.0001 * (steps // 300)),
            crs="EPSG:4326",
        )

    return make


@pytest.fixture
def write_mapping(tmp_path: Path) -> Callable[[str], str]:
    """Return a function that writes a mapping and gives its path."""

    def write(words: str) -> str:
        path = tmp_path / "mapping.yml"
        path.write_text(words, encoding="utf-8")
        return str(path)

    return write
