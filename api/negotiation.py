"""Which of several forms an answer takes: the one ``f`` names, else the one that ``Accept`` likes best (RFC 9110)."""

from collections.abc import Mapping


def read_accepted(accept: str) -> list[tuple[str, float]]:
    """Return the media types of an ``Accept`` header with their weights, the best first; an ill-written weight is 0."""
    found = []
    for part in accept.lower().split(","):
        name, *parameters = (word.strip() for word in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip() == "q":
                try:
                    weight = float(value)
                except ValueError:
                    weight = 0.0
        if name:
            found.append((name, weight))
    return sorted(found, key=lambda one: -one[1])


def prefer_form(accept: str, offered: Mapping[str, str], default: str) -> str:
    """Return the form of ``offered`` (form → media type) that ``accept`` likes best.

    ``default`` answers ``*/*``, an empty header, and one that names nothing of what is offered.
    """
    kinds: dict[str, str] = {}
    for form, kind in offered.items():
        kinds.setdefault(kind.partition(";")[0], form)
    for name, weight in read_accepted(accept):
        if weight <= 0.0:
            continue
        if name == "*/*":
            return default
        if name in kinds:
            return kinds[name]
    return default


def prefers_page(accept: str) -> bool:
    """Return whether ``accept`` likes a page better than what programs read; browsers do."""
    for name, weight in read_accepted(accept):
        if weight > 0.0 and name in ("text/html", "application/xhtml+xml"):
            return True
        if weight > 0.0 and ("json" in name or name == "*/*"):
            return False
    return False
