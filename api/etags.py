"""The ETag of a feature: strong, from its key and the system time of its version."""

from datetime import UTC, datetime

from layers.errors import InputError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def write_etag(fid: int, recorded_from: datetime) -> str:
    """Return the ETag of a version of a feature."""
    passed = recorded_from - _EPOCH
    microseconds = (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds
    return f'"{fid:x}-{microseconds:x}"'


def parse_if_match(value: str) -> frozenset[str] | None:
    """Return the ETags of an If-Match, None for ``*``; InputError for what is no list of strong ETags."""
    if value.strip() == "*":
        return None
    tags = [part.strip() for part in value.split(",")]
    for tag in tags:
        if len(tag) < 2 or tag[0] != '"' or tag[-1] != '"':
            raise InputError(f"If-Match '{value[:80]}' is not a strong ETag", hint="send the ETag as it was given")
    return frozenset(tags)
