"""Values of a column become those of a property, or the row is rejected and says why."""

import re
from collections import Counter
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.ingest.mapping import PropertyRule
from layers.ingest.quality import Problems
from layers.ingest.values import as_text, convert
from layers.registry import read_vector_layer
from tests.conftest import ROOT


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


def test_a_sentinel_is_not_converted() -> None:
    for cells, rule in ((["9.999,00", "1.350,50"], {"unit": "cm"}), (["9.999 cm", "1.350,5 cm"], {"cell_units": True})):
        made, rejected, counted = run("trees", "height", cells, numbers="vi", nodata=[9999], **rule)
        assert made == [None, pytest.approx(13.505)]
        assert rejected == []
        assert (counted["height: cm to m"], counted["height: nodata to null"]) == (1, 1)


def test_numbers_that_cannot_be_are_rejected() -> None:
    made, rejected, _ = run("trees", "height", ["5", "tall", "-1", "2000", "inf", "nan", "1,5"])
    assert made[0] == 5.0
    assert rejected == [
        "2: not a number", "3: outside 0 to 1000 m", "4: outside 0 to 1000 m", "5: not a number",
        "6: not a number", "7: not a number",
    ]  # fmt: skip


def test_numbers_of_vietnamese_hands() -> None:
    made, rejected, counted = run("trees", "height", ["1,5", "2", "0.5", "1.000"], numbers="vi")
    assert made == [1.5, 2.0, None, 1000.0]
    assert rejected == ["3: not a number"]
    assert counted == {"height: numbers written as vi": 2}


def test_numbers_that_came_as_numbers_have_no_style() -> None:
    assert run("trees", "height", [1.234, 2.5], numbers="vi")[0] == [1.234, 2.5]
    assert run("trees", "height", [1.234, "2,5"], numbers="vi")[0] == [1.234, 2.5]


def test_units_in_cells() -> None:
    cells = ["600mm", "D800", "1,2 m", '24"', "700", "5 kW", "rộng"]
    made, rejected, counted = run("drainage_links", "height", cells, cell_units=True, unit="mm", numbers="vi")
    assert made[:5] == pytest.approx([0.6, 0.8, 1.2, 0.6096, 0.7])
    assert rejected == ["6: not a number", "7: not a number"]
    assert counted == {"height: mm to m": 3, "height: in to m": 1}


def test_words_for_nothing_when_asked() -> None:
    words = ["không có", "N/A", "-", "khong ro", "4"]
    made, rejected, counted = run("trees", "height", words, null_words=True)
    assert (made, rejected) == ([None, None, None, None, 4.0], [])
    assert counted == {"height: words for nothing to null": 4}
    assert run("trees", "note", words, null_words=True)[0][-1] == "4"
    assert run("trees", "note", words)[0] == words
    # In a yes or no "không" says no; "N/A" still says nothing.
    assert run("road_links", "is_bridge", ["Có", "không", "N/A", "x"], null_words=True)[0] == [True, False, None, True]


def test_sentinels_are_dropped_however_they_are_written() -> None:
    made, _, counted = run(
        "trees", "height", ["9.999,00", "9999 m", "3,5 m"], numbers="vi", cell_units=True, nodata=[9999]
    )
    assert made == [None, None, 3.5]
    assert counted["height: nodata to null"] == 2


@settings(deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.floats(-10, 1100), st.integers(0, 40), st.just(-99.0)), min_size=1, max_size=8),
    st.sampled_from([{}, {"nodata": [-99]}, {"unit": "cm"}, {"unit": "cm", "nodata": [-99]}]),
)
def test_numbers_of_a_file_and_their_texts_give_the_same(values: list[float | None], rule: dict[str, Any]) -> None:
    floats = pd.Series([np.nan if value is None else float(value) for value in values])
    for layer, name in (("trees", "height"), ("buildings", "storeys")):
        given = {key: one for key, one in rule.items() if name == "height" or key == "nodata"}
        assert run(layer, name, floats, **given) == run(layer, name, as_text(floats), **given)  # type: ignore[arg-type]


def find_hints(layer: str, name: str, value: str, **rule: Any) -> list[str | None]:
    prop = read_vector_layer(layer).find(name)
    assert prop is not None
    problems = Problems(1)
    convert([pd.Series([value])], prop, PropertyRule.model_validate({"column": "c", **rule}), problems, Counter())
    return [one.hint for one in problems.get(0)]


@pytest.mark.parametrize(
    ("name", "value", "rule", "hint"),
    [
        ("height", "1,5", {}, "read it with 'numbers: vi' in the mapping"),
        ("height", "1,234.5", {}, "read it with 'numbers: en' in the mapping"),
        ("height", "1,234", {}, "may be 1.234 (numbers: vi) or 1234 (numbers: en)"),
        ("height", "1.5", {"numbers": "vi"}, "read both ways of writing with 'numbers: mixed' in the mapping"),
        ("height", "5 m", {}, "read units in cells with 'cell_units: true' in the mapping"),
        ("height", "không rõ", {}, "read it as nothing with 'null_words: true' in the mapping"),
        ("height", "tall", {}, None),
        ("height", "5 kW", {"cell_units": True}, "'kW' is no unit of height, expected one as m"),
        ("planted", "25/12/2021", {}, "read it with 'date_order: dmy' in the mapping"),
        ("planted", "3/4/2021", {}, "may be 3 April 2021 (date_order: dmy) or 4 March 2021 (date_order: mdy)"),
        ("planted", "soon", {}, "tried iso, ymd, vi; name its format in the mapping under 'date'"),
    ],
)
def test_what_cannot_be_read_names_the_rule_that_would(
    name: str, value: str, rule: dict[str, Any], hint: str | None
) -> None:
    assert find_hints("trees", name, value, **rule) == [hint]


def test_dates_with_an_order() -> None:
    words = ["3/4/2021", "25.12.99", "ngày 5 tháng 3 năm 2021", "2021-03-04", "1/1/1900 0:00", "13/13/2001"]
    made, rejected, counted = run("trees", "planted", words, date_order="dmy", drop_dates=["1900-01-01"])
    assert made == [date(2021, 4, 3), date(1999, 12, 25), date(2021, 3, 5), date(2021, 3, 4), None, None]
    assert rejected == ["6: not a date"]
    assert counted == {"planted: dates as dmy": 2, "planted: dates as vi": 1, "planted: placeholder dates to null": 1}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(alphabet="0123456789.,/- mD'\"?ckhông", max_size=10), max_size=12), st.integers(0, 12))
def test_chunks_read_as_the_whole_does(values: list[str], cut: int) -> None:
    for name, rule in (
        ("height", {"numbers": "mixed", "cell_units": True, "null_words": True}),
        ("planted", {"date_order": "dmy", "date": ["iso", "vi", "excel"]}),
    ):
        whole = run("trees", name, values, **rule)
        first, second = run("trees", name, values[:cut], **rule), run("trees", name, values[cut:], **rule)
        assert first[0] + second[0] == whole[0]
        assert first[2] + second[2] == whole[2]


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


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.integers(-(2**40), 2**40)), min_size=1))
def test_whole_floats_read_as_integers_do(values: list[int | None]) -> None:
    floats = pd.Series([np.nan if value is None else float(value) for value in values])
    assert as_text(floats).tolist() == [None if value is None else str(value) for value in values]


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(max_size=8), st.floats()), max_size=20))
def test_a_number_is_either_in_range_or_rejected(values: list[Any]) -> None:
    made, rejected, _ = run("trees", "height", [*values, None])
    bad = {int(line.split(":")[0]) - 1 for line in rejected}
    for position, value in enumerate(made):
        assert position in bad or value is None or 0.0 <= value <= 1000.0


def test_every_rule_of_values_is_documented() -> None:
    """docs/values.md lists the rules of a property; its examples are rules."""
    lines = [line for line in (ROOT / "docs" / "values.md").read_text().splitlines() if line.startswith("| `")]
    first = [line.split("|")[1] for line in lines]
    named = {word.split(":")[0] for cell in first for word in re.findall(r"`([^`]+)`", cell)}
    assert named == set(PropertyRule.model_fields) - {"columns"}
    for cell in first:
        for example in re.findall(r"`([^`]+: [^`]+)`", cell):
            PropertyRule.model_validate({"column": "c", **yaml.safe_load(example)})
