"""Rows with x and y exchanged are put right where the mapping allows it, and every one is counted."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from layers.errors import CrsError
from layers.ingest.catalog import Source
from layers.ingest.load import load_source
from layers.ingest.quality import LoadReport

ROWS = "ma,lon,lat\nt1,105.75,10.02\nt2,10.03,105.76\nt3,0,0\nt4,20,10\n"
MAPPING = "layers:\n  - {layer: trees, id: ma, geometry: {x: lon, y: lat, swap: %s}}\n"


def stored(engine: Engine) -> dict[str, tuple[float, float]]:
    with engine.connect() as connection:
        rows = connection.execute(
            text("select id, st_x(p), st_y(p) from (select id, st_transform(geom, 4326) as p from city.trees) as t")
        ).all()
    return {row[0]: (round(row[1], 6), round(row[2], 6)) for row in rows}


@pytest.fixture
def load(
    engine: Engine, tmp_path: Path, make_source: Callable[..., Source], write_mapping: Callable[[str], str]
) -> Callable[..., LoadReport]:
    with engine.begin() as connection:
        connection.execute(text("delete from city.trees"))

    def run(rows: str, swap: str) -> LoadReport:
        (tmp_path / "trees.csv").write_text(rows)
        source = make_source(tmp_path / "trees.csv", layer="trees", mapping=write_mapping(MAPPING % swap))
        (report,) = load_source(engine, source, tmp_path)
        return report

    return run


def test_auto_exchanges_only_rows_that_fit_only_so(engine: Engine, load: Callable[..., LoadReport]) -> None:
    report = load(ROWS, "auto")
    assert stored(engine) == {"t1": (105.75, 10.02), "t2": (105.76, 10.03)}
    assert report.conversions["geometry: x and y exchanged"] == 1
    assert report.reasons == {
        "geometry: a coordinate is 0, 0": 1,
        "geometry: far outside the city's area": 1,
    }


def test_yes_exchanges_every_row(engine: Engine, load: Callable[..., LoadReport]) -> None:
    report = load("ma,lon,lat\nt1,10.02,105.75\nt2,10.03,105.76\n", "yes")
    assert stored(engine) == {"t1": (105.75, 10.02), "t2": (105.76, 10.03)}
    assert report.conversions["geometry: x and y exchanged"] == 2


def test_without_the_word_a_table_of_exchanged_rows_is_refused(engine: Engine, load: Callable[..., LoadReport]) -> None:
    with pytest.raises(CrsError, match="x and y exchanged"):
        load("ma,lon,lat\nt1,10.02,105.75\nt2,10.03,105.76\n", "no")
    assert stored(engine) == {}
