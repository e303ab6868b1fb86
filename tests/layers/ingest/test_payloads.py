"""What a rejected row held: kept as JSON can hold it, read again, known again."""

import json
import math

import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from layers.ingest.payloads import Payloads, digest_payload, read_payloads, write_crs
from layers.ingest.raw import Raw

LOCAL = CRS.from_proj4("+proj=tmerc +lat_0=0 +lon_0=105.5 +k=0.9999 +x_0=500000 +y_0=0 +ellps=WGS84 +units=m")


def test_a_row_is_kept_and_read_again() -> None:
    frame = pd.DataFrame(
        {
            "b": pd.Series([True, None], dtype=object),
            "a": pd.Series([1, pd.NA], dtype="Int64"),
            "f": [2.5, math.nan],
            "s": ["Đường 30/4", None],
            "secret": ["An", "Bình"],
        }
    )
    shapes = np.array([shapely.Point(1, 2), None], dtype=object)
    held = Payloads(Raw(frame, shapes, None), CRS.from_epsg(4326), frozenset({"secret"})).make([1, 0])
    assert held == [
        {"b": None, "a": None, "f": None, "s": None},
        {"b": True, "a": 1, "f": 2.5, "s": "Đường 30/4", "_wkt": "POINT (1 2)", "_crs": "EPSG:4326"},
    ]
    assert list(held[1]) == ["b", "a", "f", "s", "_wkt", "_crs"]
    again = read_payloads(json.loads(json.dumps(held)))
    assert again.frame["s"].tolist() == [None, "Đường 30/4"]
    assert again.shapes is not None
    assert again.shapes[0] is None and again.shapes[1] == shapely.Point(1, 2)
    assert again.reasons is not None and again.reasons.isna().all()


def test_a_geometry_that_is_none_is_said_and_a_huge_one_left_out() -> None:
    broken = read_payloads([{"_wkt": "POINT (1"}, {"_wkt": None}])
    assert broken.reasons is not None
    assert broken.reasons.fillna("").tolist() == ["geometry is not WKT", ""]
    huge = np.array([shapely.LineString(np.arange(20_000).reshape(-1, 2))], dtype=object)
    (row,) = Payloads(Raw(pd.DataFrame({"s": ["x" * 200_000]}), huge, None), LOCAL, frozenset()).make([0])
    assert "_wkt" not in row
    assert row["s"].endswith("… (cut)") and len(row["s"]) < 2000


def test_a_crs_without_a_code_is_kept_whole() -> None:
    assert write_crs(CRS.from_epsg(9210)) == "EPSG:9210"
    assert CRS.from_user_input(write_crs(LOCAL)) == LOCAL


def test_the_same_row_has_the_same_digest() -> None:
    assert digest_payload({"a": 5, "b": "x"}) == digest_payload({"b": "x", "a": 5.0})
    assert digest_payload({"a": 5}) != digest_payload({"a": "5"}) != digest_payload({"a": 5.5})
    assert digest_payload({"a": "\ud800"}) != digest_payload({"a": None})
