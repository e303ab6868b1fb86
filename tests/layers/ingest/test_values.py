"""Values of a column become those of a property, or the row is rejected and says why."""

from collections import Counter
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.ingest.mapping import PropertyRule
from layers.ingest.quality import Problems
from layers.ingest.values import as_text, convert
from layers.registry import read_vector_layer


def run(
    layer: str, name: str, values: list[Any], *, null_unknown_codes: bool = False, **rule: Any
) -> tuple[list[Any], list[str], Counter[str]]:
    prop = read_vector_layer(layer).find(name)
    assert prop is not None
    problems, conversions = Problems(len(values)), Counter[str]()
    made = convert(
        [pd.Series(values)],
        prop,
        PropertyRule.model_validate({"column": "c", **rule}),
        problems,
        conversions,
        null_unknown_codes=null_unknown_codes,
    )
    shown = [None if pd.isna(value) else value for value in made]
    rejected = problems.list_rejections(np.arange(1, len(values) + 1), {i: {} for i in range(len(values))})
    return shown, [f"{one.row}: {one.reason}" for one in rejected], +conversions


def test_feet_become_metres() -> None:
    # 1 US survey foot = 1200/3937 m (US National Geodetic Survey).
    made, rejected, counted = run("drainage_nodes", "ground_elevation", ["10", "", "9999"], unit="us-ft", nodata=[9999])
    assert made == [pytest.approx(3.048006096), None, None]
    assert rejected == []
    assert counted == {"ground_elevation: us-ft to m": 1, "ground_elevation: nodata to null": 1}


def test_numbers_that_cannot_be_are_rejected() -> None:
    made, rejected, _ = run("trees", "height", ["5", "tall", "-1", "2000", "inf", "nan", "1,5"])
    assert made[0] == 5.0
    assert rejected == [
        "2: not a number", "3: outside 0 to 1000 m", "4: outside 0 to 1000 m", "5: not a number",
        "6: not a number", "7: not a number",
    ]  # fmt: skip


def test_decimal_comma_when_asked() -> None:
    assert run("trees", "height", ["1,5", "2"], numbers="vi")[0] == [1.5, 2.0]


def test_whole_numbers_stay_whole() -> None:
    made, rejected, _ = run("buildings", "storeys", ["3", "3.0", "2.5", "1e40", None])
    assert made[:2] == [3, 3]
    assert [line.split(":")[0] for line in rejected] == ["3", "4"]
    assert made[4] is None


def test_nodata_matches_number_and_word() -> None:
    made, _, counted = run("trees", "height", ["-99.0", "-99", "N/A", "4"], nodata=[-99, "N/A"])
    assert made == [None, None, None, 4.0]
    assert counted == {"height: nodata to null": 3}


def test_codes_are_translated_and_unknown_ones_rejected() -> None:
    made, rejected, counted = run("trees", "condition", ["G", "good", "??", None], codes={"G": "good"})
    assert (made[:2], made[3]) == (["good", "good"], None)
    assert rejected == ["3: unknown code"]
    assert counted == {"condition: codes translated": 1}
    assert run("trees", "condition", ["??"], null_unknown_codes=True)[0] == [None]
    assert run("trees", "condition", ["??", "good"], codes={"*": "poor"})[0] == ["poor", "good"]


def test_numeric_codes_match_as_words() -> None:
    assert run("trees", "condition", [1.0, 2.0, np.nan], codes={"1": "good", "2": "dead"})[0] == ["good", "dead", None]


@pytest.mark.parametrize(
    ("word", "formats", "expected"),
    [
        ("1977-09-01", [], date(1977, 9, 1)),
        ("9/1/1977", ["%m/%d/%Y"], date(1977, 9, 1)),
        ("1/9/1977", ["%d/%m/%Y"], date(1977, 9, 1)),
        ("-2209161600000", ["epoch_ms"], date(1899, 12, 30)),
        ("Wed, 22 Aug 2007 00:00:00 GMT", ["rfc1123"], date(2007, 8, 22)),
        ("2007-08-22", ["%m/%d/%Y", "iso"], date(2007, 8, 22)),
    ],
)
def test_dates_of_many_hands(word: str, formats: list[str], expected: date) -> None:
    # The words are those of the Vermont and Boston inventories; -2209161600000 ms is 1899-12-30, a database's zero.
    assert run("trees", "planted", [word], date=formats)[0] == [expected]


def test_dates_that_are_none_are_rejected_and_placeholders_dropped() -> None:
    made, rejected, counted = run(
        "trees", "planted", ["1/1/1753", "31/31/2001", "9/9/9999", None], date=["%m/%d/%Y"], drop_dates=["1/1/1753"]
    )
    assert made == [None, None, None, None]
    assert rejected == ["2: not a date", "3: not a date"]
    assert counted == {"planted: placeholder dates to null": 1}


def test_times_need_a_zone() -> None:
    made, rejected, _ = run("flood_assets", "arrival", ["2025-10-01T07:00:00+07:00", "2025-10-01 07:00"])
    assert made[0] == pd.Timestamp("2025-10-01T00:00:00Z")
    assert rejected == ["2: time without a zone"]
    local, _, _ = run("flood_assets", "arrival", ["2025-10-01 07:00"], timezone="Asia/Ho_Chi_Minh")
    assert local == [pd.Timestamp("2025-10-01T00:00:00Z")]


def test_yes_and_no() -> None:
    made, rejected, _ = run("road_links", "is_bridge", ["yes", "0", "T", "", "maybe"])
    assert made == [True, False, True, None, None]
    assert rejected == ["5: neither yes nor no"]


def test_text_is_stripped_and_bad_characters_rejected() -> None:
    made, rejected, _ = run("trees", "note", ["  a ", "<Null>", "b\r\nc", "d\x00", "\\N"])
    assert made[:3] == ["a", None, "b\nc"]
    assert made[4] is None
    assert rejected == ["4: holds characters that are no text"]


def test_required_values() -> None:
    assert run("dykes", "crest_elevation", ["2.4", " "])[1] == ["2: required value missing"]


def test_pattern_keeps_its_group() -> None:
    made, rejected, _ = run("road_links", "width", ["5 m", "25.78", "wide"], pattern=r"^([\d.]+)\s*m?$")
    assert made[:2] == [5.0, 25.78]
    assert rejected[0].startswith("3: does not fit the pattern")


@given(st.lists(st.one_of(st.none(), st.integers(-(2**40), 2**40)), min_size=1))
def test_whole_floats_read_as_integers_do(values: list[int | None]) -> None:
    floats = pd.Series([np.nan if value is None else float(value) for value in values])
    assert as_text(floats).tolist() == [None if value is None else str(value) for value in values]


@given(st.lists(st.one_of(st.none(), st.text(max_size=8), st.floats()), max_size=20))
def test_a_number_is_either_in_range_or_rejected(values: list[Any]) -> None:
    made, rejected, _ = run("trees", "height", [*values, None])
    bad = {int(line.split(":")[0]) - 1 for line in rejected}
    for position, value in enumerate(made):
        assert position in bad or value is None or 0.0 <= value <= 1000.0
