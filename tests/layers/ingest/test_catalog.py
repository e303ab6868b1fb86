"""The catalogue: what a city and its sources may be called."""

from pathlib import Path

import pytest

from layers.errors import SourceError
from layers.ingest.catalog import BY_HAND, read_catalog

CATALOG = """
city: {{id: c, title: {{vi: C, en: C}}, crs: "EPSG:5897", timezone: Asia/Ho_Chi_Minh, licence: CC0-1.0}}
sources:
  - {{id: {id}, uri: t.gpkg, layer: trees, licence: CC0-1.0, attribution: nobody, title: {{vi: T, en: T}}}}
"""


def test_a_source_cannot_be_called_as_what_is_made_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "catalog.yml"
    path.write_text(CATALOG.format(id="trees"))
    assert read_catalog(path).city.licence == "CC0-1.0"
    path.write_text(CATALOG.format(id=BY_HAND))
    with pytest.raises(SourceError, match=r"sources\.0\.id: .*'edit' is the source of features made by hand"):
        read_catalog(path)
