"""Validation of feeds: each fault under the canonical validator's name, with its row."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from layers.errors import SourceError
from tests.twin.transit_feeds import FILES, make_feed, swap
from twin.transit.notices import RULES
from twin.transit.reading import build_feed, read_feed
from twin.transit.validating import validate_feed

TODAY = date(2026, 6, 1)
FREQUENCIES = "trip_id,start_time,end_time,headway_secs\n"
BACK = "stop_time_with_arrival_before_previous_departure_time"
LAST_YEAR = swap("calendar.txt", "20260101,20261231", "20250101,20251231")


def test_a_clean_feed_has_no_notices() -> None:
    assert validate_feed(make_feed(), TODAY).describe() == []


@pytest.mark.parametrize(
    ("changes", "code", "row"),
    [
        (swap("agency.txt", "Asia/Ho_Chi_Minh", "Asia/Can_Tho"), "invalid_timezone", 2),
        (swap("agency.txt", ",agency_name", ", agency_name"), "leading_or_trailing_whitespaces", 1),
        (swap("agency.txt", "https://bus.example", "bus.example"), "invalid_url", 2),
        (swap("stops.txt", "S1,Trạm 1", "S0,Trạm 1"), "duplicate_key", 3),
        (swap("stops.txt", "S1,Trạm 1", "S1,"), "missing_stop_name", 3),
        (swap("stops.txt", "Trạm 3,10.03", "Trạm 3,"), "stop_without_location", 5),
        (swap("stops.txt", "Trạm 3,10.03", "Trạm 3,100.3"), "number_out_of_range", 5),
        (swap("stops.txt", "Trạm 3,10.03", "Trạm 3,x"), "invalid_float", 5),
        (swap("routes.txt", "01,Đông Tây", ","), "route_both_short_and_long_name_missing", 2),
        (swap("routes.txt", ",3,", ",9,"), "unexpected_enum_value", 2),
        (swap("routes.txt", "2E7D6B", "green"), "invalid_color", 2),
        (swap("routes.txt", "R,A,", "R,B,"), "foreign_key_violation", 2),
        (swap("trips.txt", "R,W,T2", "R,X,T2"), "foreign_key_violation", 3),
        (swap("trips.txt", "R,W,T2", "R,W,"), "missing_required_field", 3),
        (swap("trips.txt", "direction_id", "way"), "unknown_column", None),
        (swap("trips.txt", "R,W,T2,0,\n", "R,W,T2,0,\nR,W,T9,0,\n"), "unused_trip", 4),
        (swap("trips.txt", "R,W,T2,0,\n", "R,W,T2,0\n"), "invalid_row_length", 3),
        (swap("stop_times.txt", "T1,,,S1", "T1,06:59:00,06:59:00,S1"), BACK, 3),
        (swap("stop_times.txt", "T1,,,S1", "T1,07:02:00,,S1"), "stop_time_with_only_arrival_or_departure_time", 3),
        (swap("stop_times.txt", "T1,07:13:00,07:13:00,S4", "T1,,,S4"), "missing_trip_edge", 6),
        (swap("stop_times.txt", "07:33:00,07:33:00", "7h33,07:33:00"), "invalid_time", 8),
        (swap("stop_times.txt", "08:12:00,08:12:00", "08:00:30,08:00:30"), "fast_travel_between_consecutive_stops", 11),
        (swap("stop_times.txt", "B1,08:12:00,08:12:00,S0,2\n", ""), "unusable_trip", 4),
        (swap("calendar.txt", "20260101,20261231", "20261231,20260101"), "start_and_end_range_out_of_order", 2),
        (swap("calendar.txt", "20261231", "20260231"), "invalid_date", 2),
        (LAST_YEAR, "expired_calendar", None),
        (LAST_YEAR, "trip_coverage_not_active_for_next7_days", None),
        ({"frequencies.txt": f"{FREQUENCIES}T1,06:00:00,08:00:00,600\nT1,07:00:00,09:00:00,600\n"},
         "overlapping_frequency", 3),
        ({"frequencies.txt": f"{FREQUENCIES}T1,06:00:00,08:00:00,0\n"}, "number_out_of_range", 2),
        ({"shapes.txt": "shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence\nP,10.0,105.7,1\nP,10.0,105.8,2\n"},
         "unused_shape", None),
        ({"nonsense.txt": "a\n1\n"}, "unknown_file", None),
        ({"levels.txt": ""}, "empty_file", None),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_row(changes: dict[str, str], code: str, row: int | None) -> None:
    notices = validate_feed(make_feed(changes), TODAY).by_code
    assert code in notices, sorted(notices)
    assert notices[code].severity == RULES[code].severity
    if row is not None:
        assert row in [sample["csvRowNumber"] for sample in notices[code].samples]


def test_a_stop_far_from_its_shape_is_told() -> None:
    shape = "shape_id,shape_pt_lat,shape_pt_lon,shape_pt_sequence\nP,10.05,105.7,1\nP,10.05,105.9,2\n"
    feed = make_feed({"shapes.txt": shape, **swap("trips.txt", "R,W,T1,0,", "R,W,T1,0,P")})
    notice = validate_feed(feed, TODAY).by_code["stop_too_far_from_shape"]
    assert notice.count == 5
    # 0.02° of latitude.
    assert notice.samples[0]["distance"] == pytest.approx(2224.0, rel=0.01)


def test_files_that_are_missing_are_told() -> None:
    kept = {name: text.encode() for name, text in FILES.items() if name not in ("stops.txt", "calendar.txt")}
    codes = validate_feed(build_feed(kept, "test"), TODAY).by_code
    assert codes["missing_required_file"].samples == [{"filename": "stops.txt"}]
    assert "missing_calendar_and_calendar_date_files" in codes


def test_what_is_no_feed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(b"PK nothing")
    with pytest.raises(SourceError, match=r"x\.zip"):
        read_feed(path)
    with pytest.raises(SourceError, match="does not exist"):
        read_feed(tmp_path / "absent.zip")


def test_the_feeds_of_porto_alegre(shared: Callable[[str], Path]) -> None:
    feed = read_feed(shared("porto-alegre/poa_eptc.zip"))
    # Lines of the files less their headers.
    assert feed.counts == {
        "agency": 1, "calendar": 115, "calendar_dates": 324, "fare_attributes": 1, "feed_info": 1, "routes": 115,
        "shapes": 57_723, "stop_times": 130_019, "stops": 3_986, "trips": 2_374,
    }  # fmt: skip
    found = {notice.code: notice.count for notice in validate_feed(feed, date(2019, 5, 1)).sorted()}
    # Every route has the text colour "0".
    assert found.pop("invalid_color") == 115
    assert set(found) == {"missing_feed_contact_email_and_url", "stop_too_far_from_shape", "unknown_column"}

    rail = read_feed(shared("porto-alegre/poa_trensurb.zip"))
    assert rail.table("agency").texts("agency_name").tolist() == ["TRENSURB"]
    notices = validate_feed(rail, date(2019, 5, 1))
    assert notices.by_code["leading_or_trailing_whitespaces"].samples[0]["fieldValue"] == " agency_name"
    assert notices.count("ERROR") == 0
