"""Tables of readings: good ones are stored once, the others say why not."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from layers.errors import SourceError
from layers.ingest.catalog import Source
from layers.ingest.load import load_source
from layers.store.quarantine import Wanted, list_quarantine

Make = Callable[..., Source]
SERIES = "id,sensor_id,observed_property,unit,title_vi,title_en\ns1,g1,stage,m,Mực nước,Stage\n"
READINGS = """datastream_id,phenomenon_time,result,quality
s1,2025-10-01T00:00:00Z,1.25,1
s1,2025-10-01T07:10:00+07:00,1.30,1
s1,2025-10-01T00:20:00Z,,9
s2,2025-10-01T00:00:00Z,1.0,1
s1,2025-10-01 00:30:00,1.0,1
s1,2025-13-01T00:30:00Z,1.0,1
s1,2025-10-01T00:40:00Z,high,1
s1,2025-10-01T00:50:00Z,1.0,7
s1,2025-10-01T00:00:00Z,1.26,1
s1,2025-10-01T01:00:00Z,1,26,1
"""


def readings(make_source: Make, folder: Path, series: str = SERIES, table: str = READINGS) -> Source:
    (folder / "series.csv").write_text(series, encoding="utf-8")
    (folder / "readings.csv").write_text(table, encoding="utf-8")
    return make_source(Path("readings.csv"), id="gauge", layer="-").model_copy(
        update={"kind": "observations", "layer": "", "datastreams": "series.csv"}
    )


def test_good_readings_are_stored_and_bad_ones_explained(engine: Engine, tmp_path: Path, make_source: Make) -> None:
    source = readings(make_source, tmp_path)
    (first,), (second,) = (load_source(engine, source, tmp_path) for _ in range(2))
    assert (first.read, first.loaded, first.unchanged, first.quarantined) == (10, 3, 0, 7)
    assert (second.loaded, second.unchanged, second.quarantined) == (0, 3, 7)
    with engine.connect() as connection:
        rows = list_quarantine(connection, Wanted(source="gauge"))
        stored = connection.execute(text("select result from sensing.observation order by phenomenon_time")).scalars()
        assert list(stored) == [1.25, 1.30, None]
    assert [(row.row, row.reason) for row in rows] == [
        (4, "series is not listed"),
        (5, "time without a zone"),
        (6, "not a time"),
        (7, "not a number"),
        (8, "not a QARTOD flag"),
        (9, "reading appears twice in the file"),
        (10, "5 cells where the header has 4"),
    ]


@pytest.mark.parametrize(
    ("series", "table", "named"),
    [
        (SERIES.replace("unit", "units"), READINGS, r"series\.csv has no column 'unit'"),
        (SERIES + "s2,g1,stage,m,a,b,c\n", READINGS, r"series\.csv: row 2 has 7 cells where the header has 6"),
        (SERIES.replace("Stage", ""), READINGS, r"series\.csv: row 1 has no title_en"),
        (SERIES + SERIES.splitlines()[1], READINGS, r"series\.csv: series 's1' is listed twice"),
        (
            SERIES.replace("title_en", "title_en,interval_s").replace("Stage", "Stage,0"),
            READINGS,
            r"series\.csv: row 1 has interval_s '0', expected seconds above 0",
        ),
        (SERIES, READINGS.replace("result", "value"), r"readings\.csv has no column 'result'"),
    ],
)
def test_tables_that_do_not_fit_are_named(
    engine: Engine, tmp_path: Path, make_source: Make, series: str, table: str, named: str
) -> None:
    with pytest.raises(SourceError, match=named):
        load_source(engine, readings(make_source, tmp_path, series, table), tmp_path)
