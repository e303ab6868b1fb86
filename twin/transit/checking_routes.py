"""Checks of agencies, routes and calendars: names, colours, time zones, days that are over."""

import re
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import numpy as np

from twin.transit.checking_fields import list_rows
from twin.transit.feed import Feed
from twin.transit.notices import Notices
from twin.transit.services import count_trips_by_day, list_service_days, read_date
from twin.transit.tables import TABLES

SHORT_NAME = 12
"""Letters of a route's short name that fit on a vehicle."""
CONTRAST = 72.0
"""Least difference of luma between text and ground, of the canonical validator."""
_COLOR = re.compile(r"^[0-9A-Fa-f]{6}$")


def check_routes(feed: Feed, notices: Notices, today: date) -> None:
    """Check agencies, routes, calendars and feed_info as of ``today``."""
    _check_agencies(feed, notices)
    _check_names(feed, notices)
    _check_colors(feed, notices)
    _check_calendars(feed, notices, today)
    _check_feed_info(feed, notices, today)
    attributions = feed.table("attributions")
    roles = sum(attributions.codes(name) for name in ("is_producer", "is_operator", "is_authority"))
    bare = np.zeros(attributions.size, np.bool_) | (np.asarray(roles) == 0)
    samples = list_rows(TABLES["attributions"], attributions, bare, "organization_name")
    notices.add("attribution_without_role", samples, count=int(bare.sum()))


def _check_agencies(feed: Feed, notices: Notices) -> None:
    agency = feed.table("agency")
    zones = {one for one in agency.texts("agency_timezone") if one}
    if len(zones) > 1:
        notices.add("inconsistent_agency_timezone", [{"filename": "agency.txt", "found": sorted(zones)}])
    languages = {one for one in agency.texts("agency_lang") if one}
    if len(languages) > 1:
        notices.add("inconsistent_agency_lang", [{"filename": "agency.txt", "found": sorted(languages)}])
    if agency.size > 1:
        for name, table in (("agency", agency), ("routes", feed.table("routes"))):
            bare = table.texts("agency_id") == ""
            samples = ({**row, "fieldName": "agency_id"} for row in list_rows(TABLES[name], table, bare))
            notices.add("missing_required_field", samples, count=int(bare.sum()))


def _check_names(feed: Feed, notices: Notices) -> None:
    table = feed.table("routes")
    seen: dict[tuple[str, ...], str] = {}
    columns = ("route_id", "route_short_name", "route_long_name", "route_desc", "agency_id", "route_type")
    for line, (route, short, long, note, agency, kind) in zip(
        table.rows, zip(*(table.texts(name) for name in columns), strict=True), strict=True
    ):
        place = {"filename": "routes.txt", "csvRowNumber": int(line), "routeId": route}
        if not short and not long:
            notices.add("route_both_short_and_long_name_missing", [place])
            continue
        if len(short) > SHORT_NAME:
            notices.add("route_short_name_too_long", [{**place, "routeShortName": short}])
        if short and long.startswith(short) and (len(long) == len(short) or not long[len(short)].isalnum()):
            notices.add("route_long_name_contains_short_name", [{**place, "routeLongName": long}])
        if note and note in (short, long):
            notices.add("same_name_and_description_for_route", [{**place, "routeDesc": note}])
        key = (short, long, kind, agency)
        if key in seen:
            notices.add("duplicate_route_name", [{**place, "routeId2": seen[key]}])
        seen[key] = route


def _check_colors(feed: Feed, notices: Notices) -> None:
    table = feed.table("routes")
    for line, route, ground, ink in zip(
        table.rows, table.texts("route_id"), table.texts("route_color"), table.texts("route_text_color"), strict=True
    ):
        if _COLOR.match(ground) and _COLOR.match(ink) and abs(_luma(ground) - _luma(ink)) < CONTRAST:
            place = {"filename": "routes.txt", "csvRowNumber": int(line), "routeId": route}
            notices.add("route_color_contrast", [{**place, "routeColor": ground, "routeTextColor": ink}])


def _luma(color: str) -> float:
    red, green, blue = (int(color[at : at + 2], 16) for at in (0, 2, 4))
    return 0.3 * red + 0.59 * green + 0.11 * blue


def _check_calendars(feed: Feed, notices: Notices, today: date) -> None:
    calendar = feed.table("calendar")
    starts, ends = calendar.texts("start_date"), calendar.texts("end_date")
    swapped = np.array([bool(a and b and a > b) for a, b in zip(starts, ends, strict=True)], np.bool_)
    samples = list_rows(TABLES["calendar"], calendar, swapped, "service_id", "start_date", "end_date")
    notices.add("start_and_end_range_out_of_order", samples, count=int(swapped.sum()))
    over = [service for service, days in list_service_days(feed).items() if days and max(days) < today.toordinal()]
    notices.add("expired_calendar", ({"filename": "calendar.txt", "serviceId": one} for one in over))
    counts = count_trips_by_day(feed)
    if counts and not any(today + timedelta(days=step) in counts for step in range(7)):
        notices.add(
            "trip_coverage_not_active_for_next7_days",
            [{"firstDay": min(counts).isoformat(), "lastDay": max(counts).isoformat(), "day": today.isoformat()}],
        )


def _check_feed_info(feed: Feed, notices: Notices, today: date) -> None:
    table = feed.table("feed_info")
    for row in _list_feed_info(feed):
        place = {"filename": "feed_info.txt", "csvRowNumber": int(table.rows[0])}
        starts, ends = row["feed_start_date"], row["feed_end_date"]
        if bool(starts) != bool(ends):
            notices.add("missing_feed_info_date", [place])
        if starts and ends and starts > ends:
            notices.add("start_and_end_range_out_of_order", [{**place, "feed_start_date": starts}])
        end = read_date(ends)
        if end is not None and end <= today + timedelta(days=7):
            notices.add("feed_expiration_date7_days", [{**place, "feedEndDate": end.isoformat()}])
        if not row["feed_contact_email"] and not row["feed_contact_url"]:
            notices.add("missing_feed_contact_email_and_url", [place])


def _list_feed_info(feed: Feed) -> Iterable[dict[str, Any]]:
    table = feed.table("feed_info")
    names = ("feed_start_date", "feed_end_date", "feed_contact_email", "feed_contact_url")
    columns = [table.texts(name) for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)][:1]
