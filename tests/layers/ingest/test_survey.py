"""A survey of a column proposes the rules its values need, or asks what only a person can decide."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.ingest.survey import Finding, survey_dates, survey_nodata, survey_numbers, survey_unit


@pytest.mark.parametrize(
    ("values", "rule", "question"),
    [
        (["1.5", "2", None], {}, None),
        ([1.234, 2.0, None], {}, None),
        (["1.234,5", "2.500", "7"], {"numbers": "vi"}, None),
        (["1,5", "2", "không có"], {"numbers": "vi"}, None),
        (["1,234.5", "2,500"], {"numbers": "en"}, None),
        (["1.234", "2.25"], {}, None),
        (["1,5", "2.5"], {"numbers": "mixed"}, None),
        (["1,5", "2.5", "1.234"], {"numbers": "mixed"}, "numbers"),
        (["1.234", "2.500"], {}, "numbers"),
        (["1 200", "300"], {"numbers": "en"}, None),
        (["a", "b"], {}, None),
        ([], {}, None),
    ],
)
def test_numbers(values: list[Any], rule: dict[str, Any], question: str | None) -> None:
    found = survey_numbers(values)
    assert (found.rule, found.question) == (rule, question)


def test_open_numbers_are_told_with_both_readings() -> None:
    assert survey_numbers(["1.234"]).why == ("'1.234' may be 1234 or 1.234, and no value decides it",)


@pytest.mark.parametrize(
    ("values", "rule", "question"),
    [
        (["03/04/2021", "25/04/2021"], {"date_order": "dmy"}, None),
        (["03/04/2021", "04/25/2021"], {"date_order": "mdy"}, None),
        (["03/04/2021", "05/06/2021"], {}, "date_order"),
        (["13/04/2021", "04/13/2021"], {}, "date_order"),
        (["2021-03-04", "2021/03/05"], {}, None),
        (["44561", "43000"], {"date": ["excel"]}, None),
        (["1614556800000", "-2209161600000"], {"date": ["epoch_ms"]}, None),
        (["ngày 5 tháng 3 năm 2021"], {}, None),
        (["1/1/1753", "25/3/2020"], {"date_order": "dmy", "drop_dates": ["1/1/1753"]}, None),
        (["9/9/9999 12:00:00 AM", "11/14/1939 12:00:00 AM"],
         {"date_order": "mdy", "drop_dates": ["9/9/9999 12:00:00 AM"]}, None),
        (["2021-03-04", "không rõ", "N/A"], {"null_words": True}, None),
        (["Trãi", "Huệ"], {}, None),
    ],
)  # fmt: skip
def test_dates(values: list[Any], rule: dict[str, Any], question: str | None) -> None:
    found = survey_dates(values)
    assert (found.rule, found.question) == (rule, question)


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        (["không có", "-", "5", "N/A", "khong co"], {"null_words": True}),
        (["5", "7.5", "9999", "9999.0"], {"nodata": [9999]}),
        (["-99"] * 5, {"nodata": [-99]}),
        (["1", "2", "-1", "-1", "-1"], {"nodata": [-1]}),
        (["-3", "-1", "2"], {}),
        (["98", "99", "99", "99", "100"], {}),
        (["1000", "999", "1500"], {}),
        (["a", "b", "999"], {}),
        ([], {}),
    ],
)
def test_nodata(values: list[Any], rule: dict[str, Any]) -> None:
    assert survey_nodata(values).rule == rule


@pytest.mark.parametrize(
    ("name", "values", "rule", "question"),
    [
        ("Chiều dài (m)", [], {"unit": "m"}, None),
        ("DIAM_MM", ["600"], {"unit": "mm"}, None),
        ("duong_kinh_mm", [], {"unit": "mm"}, None),
        ("Diện tích [m²]", [], {"unit": "m2"}, None),
        ("Công suất (kW)", [], {"unit": "kW"}, None),
        ("Tổng mức đầu tư (tỷ đồng)", [], {"unit": "{billion VND}"}, None),
        ("DIAM_IN", [], {"unit": "in"}, None),
        ("INV_IN", [], {}, None),
        ("PLANINVIN", [], {}, None),
        ("StructureM", [], {}, None),
        ("kich_thuoc", ["600mm", "D800"], {"cell_units": True}, None),
        ("kich_thuoc", ["600mm", "D800", "700"], {"cell_units": True, "unit": "mm"}, None),
        ("kich_thuoc", ["600mm", "1,2 m", "700"], {"cell_units": True}, "unit"),
        ("name", ["a", "b"], {}, None),
    ],
)
def test_units(name: str, values: list[Any], rule: dict[str, Any], question: str | None) -> None:
    found = survey_unit(name, values)
    assert (found.rule, found.question) == (rule, question)


BOSTON = [
    # What a person sees in the columns, with the counts of the files.
    ("CambridgeSew_Catchbasin_filtered.csv", "INSTALLDAT", survey_dates,
     {"date_order": "mdy", "drop_dates": ["1/1/1753 12:00:00 AM"]}),
    ("Melrose_ssCatchBasins_0.csv", "INSTALLDAT", survey_dates,
     {"date_order": "mdy", "drop_dates": ["9/9/99 0:00", "8/8/88 0:00"]}),
    ("Woburn_catchbasins_WGS84_20220623.csv", "p_installd", survey_dates,
     {"date_order": "mdy", "drop_dates": ["1/1/70"]}),
    ("Everett_Drain_Catch_Basin_WGS84_20220421.csv", "InstallDat", survey_dates, {"drop_dates": ["9999/09/09"]}),
    ("Reading_catchbasins_WGS84_20220623.csv", "LASTUPDATE", survey_dates, {}),
    ("CambridgeSew_Catchbasin_filtered.csv", "INVERTELEV", survey_nodata, {"nodata": [999]}),
    ("Lexington_storm_inlets_0.csv", "SumpDepth", survey_nodata, {"nodata": [-99]}),
    ("Melrose_ssCatchBasins_0.csv", "RIMELEVATI", survey_nodata, {"nodata": [999, 888]}),
    ("Somerville_Catch_Basins_0.csv", "Invert", survey_nodata, {"nodata": [9999]}),
    ("Somerville_Catch_Basins_0.csv", "AccessMate", survey_nodata, {"null_words": True}),
    ("Arlington_WGS84_v2_0_filtered.csv", "invertelev", survey_nodata, {}),
    ("Reading_catchbasins_WGS84_20220623.csv", "PLANRIMELV", survey_numbers, {}),
]  # fmt: skip


@pytest.mark.parametrize(("file", "column", "survey", "rule"), BOSTON)
def test_real_dirt(
    file: str,
    column: str,
    survey: Callable[[list[Any]], Finding],
    rule: dict[str, Any],
    shared: Callable[[str], Path],
) -> None:
    table = pd.read_csv(shared(f"drains-boston-metro/{file}"), dtype=str, keep_default_na=False, encoding="utf-8-sig")
    values = table[column].tolist()
    assert survey(values).rule == rule
    random.Random(1).shuffle(values)
    assert sorted(map(str, survey(values).rule.items())) == sorted(map(str, rule.items()))


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(max_size=10), st.floats(), st.integers(), st.booleans()), max_size=12))
def test_any_column_can_be_surveyed(values: list[Any]) -> None:
    for found in (survey_numbers(values), survey_dates(values), survey_nodata(values), survey_unit("x", values)):
        assert 0.0 <= found.share <= 1.0
