"""Validate a feed: every check, in one report."""

from datetime import date

from twin.transit.checking_fields import check_fields
from twin.transit.checking_places import check_places
from twin.transit.checking_routes import check_routes
from twin.transit.checking_trips import check_trips
from twin.transit.feed import Feed
from twin.transit.notices import Notices


def validate_feed(feed: Feed, today: date) -> Notices:
    """Return what reading the feed brought up and what its checks find, as of ``today``."""
    notices = Notices()
    for notice in feed.notices.by_code.values():
        notices.add(notice.code, notice.samples, count=notice.count)
    check_fields(feed, notices)
    check_routes(feed, notices, today)
    check_places(feed, notices)
    check_trips(feed, notices)
    return notices
