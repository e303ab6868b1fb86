"""Dates of many hands mean one day, or say that they could mean two."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.ingest.dates import NAMED, is_ambiguous, list_readings, read_date


@pytest.mark.parametrize(
    ("word", "style", "expected"),
    [
        # Words of the thirteen drain inventories around Boston.
        ("1/1/1753 12:00:00 AM", "mdy", "1753-01-01 00:00:00"),
        ("4/4/2019 9:11:53 PM", "mdy", "2019-04-04 21:11:53"),
        ("12/1/2019 12:30:00 AM", "mdy", "2019-12-01 00:30:00"),
        ("7/25/80 0:00", "mdy", "1980-07-25 00:00:00"),
        ("1/31/64", "mdy", "1964-01-31 00:00:00"),
        ("9/28/21", "mdy", "2021-09-28 00:00:00"),
        ("11/25/03 17:25", "mdy", "2003-11-25 17:25:00"),
        ("1976/12/01 00:00:00.000", "ymd", "1976-12-01 00:00:00"),
        ("2014/11/25", "ymd", "2014-11-25 00:00:00"),
        ("2016/04/19 09:40:32.250", "iso", "2016-04-19 09:40:32.250000"),
        ("2016-04-19T09:40:32Z", "iso", "2016-04-19 09:40:32"),
        ("1998", "iso", "1998-01-01 00:00:00"),
        # Vietnamese.
        ("25/12/2021", "dmy", "2021-12-25 00:00:00"),
        ("13.2.2020", "dmy", "2020-02-13 00:00:00"),
        ("05-03-2021 9:30 CH", "dmy", "2021-03-05 21:30:00"),
        ("03/2021", "dmy", "2021-03-01 00:00:00"),
        ("ngày 5 tháng 3 năm 2021", "vi", "2021-03-05 00:00:00"),
        ("Ngày 05/03/2021", "vi", "2021-03-05 00:00:00"),
        ("5 tháng 3, 2021", "vi", "2021-03-05 00:00:00"),
        ("tháng 3/2021", "vi", "2021-03-01 00:00:00"),
        ("năm 2019", "vi", "2019-01-01 00:00:00"),
        ("2019", "year", "2019-01-01 00:00:00"),
        # 1900 system: 2021-12-31 is day 44561 (Excel), a quarter of a day is six hours.
        ("44561", "excel", "2021-12-31 00:00:00"),
        ("44561.25", "excel", "2021-12-31 06:00:00"),
        ("-2209161600000", "epoch_ms", "1899-12-30 00:00:00"),
        ("0", "epoch_s", "1970-01-01 00:00:00"),
    ],
)
def test_one_word_in_its_style(word: str, style: str, expected: str) -> None:
    found = read_date(word, (style,))
    assert found is not None
    assert (str(found[0].tz_localize(None)), found[1]) == (expected, style)


NO_DATES = [
    "31/31/2001",
    "9/9/9999",
    "00:00.0",
    "30/2/2021",
    "2021-13-01",
    "258_241",
    "Trãi",
    "",
    "13:00 PM",
    "1/2/3/4",
]


@pytest.mark.parametrize("word", NO_DATES)
def test_no_dates(word: str) -> None:
    assert read_date(word, NAMED) is None


@settings(deadline=None)
@given(st.dates(date(1930, 1, 1), date(2029, 12, 31)), st.sampled_from("/-."), st.booleans())
def test_what_was_written_is_read(day: date, gap: str, short: bool) -> None:
    year = f"{day.year % 100:02d}" if short else str(day.year)
    words = {"dmy": f"{day.day}{gap}{day.month}{gap}{year}", "mdy": f"{day.month}{gap}{day.day}{gap}{year}"}
    for order, word in words.items():
        found = read_date(word, (order,))
        assert found is not None
        assert found[0].date() == day
    assert is_ambiguous(words["dmy"]) == (day.day <= 12 and day.day != day.month)
    found = read_date(f"ngày {day.day} tháng {day.month} năm {day.year}", ("vi",))
    assert found is not None
    assert found[0].date() == day
    serial = str((day - date(1899, 12, 30)) // timedelta(days=1))
    found = read_date(serial, ("excel",))
    assert found is not None
    assert found[0].date() == day


def test_both_readings_are_given() -> None:
    readings = {order: moment.date() for order, moment in list_readings("03/04/2021").items()}
    assert readings == {"dmy": date(2021, 4, 3), "mdy": date(2021, 3, 4)}
    assert list_readings("2021-03-04") == {}


@settings(deadline=None)
@given(st.text(max_size=20), st.sampled_from(NAMED))
def test_any_word_is_a_moment_of_our_time_or_none(word: str, style: str) -> None:
    found = read_date(word, (style,))
    assert found is None or 1000 <= found[0].year <= 2200
