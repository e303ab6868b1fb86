"""The ETag of a feature: strong, from its key and the system time of its version."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime

from layers.editing.words import Version
from layers.errors import InputError

_GIVEN = re.compile('"([0-9a-f]{1,15})-([0-9a-f]{1,14})"')
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def write_etag(fid: int, recorded_from: datetime) -> str:
    """Return the ETag of a version of a feature."""
    passed = recorded_from - _EPOCH
    microseconds = (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds
    return f'"{fid:x}-{microseconds:x}"'


def write_validators(fid: int, recorded_from: datetime) -> dict[str, str]:
    """Return the headers ETag and Last-Modified of a version of a feature."""
    return {
        "etag": write_etag(fid, recorded_from),
        "last-modified": format_datetime(recorded_from.astimezone(UTC), usegmt=True),
    }


def parse_if_match(value: str) -> frozenset[Version] | None:
    """Return the versions an If-Match names, None for ``*``; InputError for what is no list of strong ETags.

    A strong ETag that was never given here names no version and so matches none.
    """
    if value.strip() == "*":
        return None
    versions = set()
    for tag in (part.strip() for part in value.split(",")):
        if len(tag) < 2 or tag[0] != '"' or tag[-1] != '"':
            raise InputError(f"If-Match '{value[:80]}' is not a strong ETag", hint="send the ETag as it was given")
        given = _GIVEN.fullmatch(tag)
        if given:
            versions.add((int(given[1], 16), _EPOCH + timedelta(microseconds=int(given[2], 16))))
    return frozenset(versions)


def is_known(if_none_match: str | None, etag: str) -> bool:
    """Return whether an If-None-Match names ``etag``, so that it need not be sent again."""
    if if_none_match is None:
        return False
    known = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return etag in known or "*" in known


def parse_unmodified_since(value: str | None) -> datetime | None:
    """Return the moment of an If-Unmodified-Since; one that is no HTTP date is not read (RFC 9110, 13.1.4)."""
    if value is None:
        return None
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
