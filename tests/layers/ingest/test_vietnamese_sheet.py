"""A sheet as a district's office keeps it, in TCVN3 with all its habits, from the file into the city."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine

from layers.ingest.catalog import Source
from layers.ingest.load import load_source
from layers.registry import read_vector_layer
from layers.store.features import select_features
from layers.store.quarantine import Wanted, list_quarantine
from tests.layers.ingest.legacy import WRITERS

SHEET = """Mã cống;Tên đường;Chiều sâu;Cao độ đáy (m);Vật liệu;Ngày lắp đặt;Người nhập;SĐT;Van;X;Y
C1;Nguyễn Trãi;1,2 m;-0,40;Bê tông;03/04/2019;Nguyễn Văn An;0912345678;có;105.7801;10.0301
C2;Hoà Bình;850mm;1.000,25;BTCT;25/12/2020;Lê Thị Bé;0912345679;không;105.7802;10.0302
C3;Trần Hưng Đạo;5'6";9999;chưa rõ;1/1/1900;Lê Thị Bé;0912345679;x;105.7803;10.0303
C4;Trần Hưng Đạo;không có;k/c;HDPE;ngày 5 tháng 3 năm 2021;Lê Thị Bé;0912345679;;105.7804;10.0304
C5;Ngô Quyền;sâu;0,5;HDPE;2021-03-05;Nguyễn Văn An;0912345678;có;105.7805;10.0305
"""
MAPPING = """
layers:
  - layer: drainage_nodes
    id: Mã cống
    geometry: {x: X, y: Y}
    numbers: vi
    null_words: true
    date_order: dmy
    set: {node_type: manhole}
    properties:
      max_depth: {column: Chiều sâu, cell_units: true}
      invert_elevation: {column: Cao độ đáy (m), nodata: [9999]}
      material: {column: Vật liệu, codes: {Bê tông: concrete, BTCT: reinforced_concrete, HDPE: hdpe}}
      installed: {column: Ngày lắp đặt, drop_dates: ["1900-01-01"]}
      has_gate: Van
      note: Tên đường
      owner: Người nhập
"""


def test_a_sheet_of_a_district(
    engine: Engine, tmp_path: Path, make_source: Callable[..., Source], write_mapping: Callable[[str], str]
) -> None:
    path = tmp_path / "cong.csv"
    path.write_bytes(WRITERS["tcvn3"](SHEET).encode("latin-1"))
    (report,) = load_source(engine, make_source(path, id="sheet", mapping=write_mapping(MAPPING)), Path())

    assert (report.read, report.loaded, report.quarantined) == (5, 4, 1)
    assert report.encoding == "text encoding tcvn3, confidence 1.00"
    assert set(report.personal) == {"Người nhập", "SĐT"}
    assert report.conversions == {
        "max_depth: words for nothing to null": 1, "max_depth: mm to m": 1,
        "max_depth: in to m": 1, "invert_elevation: words for nothing to null": 1,
        "invert_elevation: numbers written as vi": 3, "invert_elevation: nodata to null": 1,
        "material: words for nothing to null": 1, "material: codes translated": 4,
        "installed: placeholder dates to null": 1, "installed: dates as dmy": 2, "installed: dates as vi": 1,
    }  # fmt: skip

    with engine.connect() as connection:
        rows = {
            one["id"]: one
            for one in select_features(connection, read_vector_layer("drainage_nodes")).to_dict("records")
            if str(one["id"]).startswith("C")
        }
        (rejected,) = list_quarantine(connection, Wanted(source="sheet"))
    names = ("max_depth", "invert_elevation", "material", "installed", "has_gate", "note", "owner")
    made = [[rows[f"C{number}"][name] for name in names] for number in (1, 2, 3, 4)]
    nothing = None
    expected = [
        [1.2, -0.4, "concrete", date(2019, 4, 3), True, "Nguyễn Trãi", nothing],
        [0.85, 1000.25, "reinforced_concrete", date(2020, 12, 25), False, "Hoà Bình", nothing],
        [pytest.approx(1.6764), nothing, nothing, nothing, True, "Trần Hưng Đạo", nothing],
        [nothing, nothing, "hdpe", date(2021, 3, 5), nothing, "Trần Hưng Đạo", nothing],
    ]
    assert [[nothing if value != value else value for value in row] for row in made] == expected
    assert "Nguyễn Văn An" not in json.dumps(dict(rejected.payload), ensure_ascii=False)
    assert rejected.payload["Tên đường"] == "Ngô Quyền"
    assert [(one.field, one.value, one.reason) for one in rejected.problems] == [("max_depth", "sâu", "not a number")]
