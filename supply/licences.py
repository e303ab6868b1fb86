"""Which licences a shipped dependency may have: permissive ones, and what is named here with its reason."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from license_expression import ExpressionError, get_spdx_licensing

from supply.dependencies import Dependency

ALLOWED = frozenset(
    (
        "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "ISC", "MIT", "MIT-0", "MIT-CMU",
        "OFL-1.1", "PSF-2.0", "Unlicense", "Zlib",
    )
)  # fmt: skip
EXCEPTIONS = {
    "psycopg": ("LGPL-3.0-only", "a library that is imported unchanged and can be exchanged"),
    "psycopg-binary": ("LGPL-3.0-only", "a library that is imported unchanged and can be exchanged"),
    "psycopg-pool": ("LGPL-3.0-only", "a library that is imported unchanged and can be exchanged"),
    "certifi": ("MPL-2.0", "a list of authorities, unchanged; the licence ends at its own files"),
    "orjson": ("MPL-2.0 AND (Apache-2.0 OR MIT)", "unchanged; the MPL ends at its own files"),
}
SAID = {
    "owa-epanet": "MIT",
    "python-dateutil": "Apache-2.0 AND BSD-3-Clause",
}
"""Packages whose own words are no licence's name; read in their repositories."""
_WORDS = {
    "3-clause bsd license": "BSD-3-Clause",
    "apache license 2.0": "Apache-2.0",
    "apache license": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "bsd": "BSD-3-Clause",
    "bsd 3-clause license": "BSD-3-Clause",
    "bsd license": "BSD-3-Clause",
    "isc license": "ISC",
    "isc license (iscl)": "ISC",
    "mit license": "MIT",
    "new bsd": "BSD-3-Clause",
}
_SPDX = get_spdx_licensing()


class Refusal(NamedTuple):
    """A dependency that may not be shipped, and why."""

    dependency: Dependency
    reason: str


def judge(dependencies: Iterable[Dependency]) -> list[Refusal]:
    """Return those whose licence is neither allowed nor an exception that is named."""
    return [Refusal(one, reason) for one in dependencies if (reason := _find_fault(one)) is not None]


def read_licence(one: Dependency) -> str:
    """Return the licence of a dependency as an SPDX expression, or its own words where they are none."""
    if one.name in SAID:
        return SAID[one.name]
    for words in (one.licence, " AND ".join(one.classifiers)):
        known = " AND ".join(_WORDS.get(part.strip().lower(), part.strip()) for part in words.split(" AND "))
        if known and _parse(known) is not None:
            return known
    return one.licence or ", ".join(one.classifiers)


def _find_fault(one: Dependency) -> str | None:
    licence = read_licence(one)
    if not licence:
        return "names no licence"
    excepted = EXCEPTIONS.get(one.name)
    if excepted is not None:
        return None if licence == excepted[0] else f"was {excepted[0]} and is {licence} now"
    parsed = _parse(licence)
    if parsed is None:
        return f"'{licence[:60]}' is no licence that SPDX knows"
    return None if _is_allowed(parsed) else f"{licence} is not one of those that may be shipped"


def _parse(words: str) -> Any:
    try:
        return _SPDX.parse(words, validate=True)
    except ExpressionError:
        return None


def _is_allowed(part: Any) -> bool:
    if isinstance(part, _SPDX.OR):
        return any(map(_is_allowed, part.args))
    if isinstance(part, _SPDX.AND):
        return all(map(_is_allowed, part.args))
    # "WITH" an exception gives more than the licence alone.
    return getattr(part, "license_symbol", part).key in ALLOWED
