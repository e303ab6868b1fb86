"""The limits each series is tested against: its own ``quality_tests`` over the usual ones of what it measures.

``quality_tests`` speaks the words of ``ioos-qc``: gross_range_test (fail_span, suspect_span), rate_of_change_test
(threshold, fail_threshold, per second), spike_test (suspect_threshold, fail_threshold, method), flat_line_test
(tolerance; suspect_threshold, fail_threshold in seconds), gap_test (threshold in seconds), neighbours_test
(suspect_threshold, fail_threshold; series or radius in metres, window in seconds). ``null`` takes a usual test away.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from operator import attrgetter
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from layers.errors import InputError
from layers.quantities import QUANTITIES, conversion_factor

INF = float("inf")
Limits = Mapping[str, NDArray[np.float64]]
"""Each limit by its name, one value a reading."""


@dataclass(frozen=True, slots=True)
class QualityLimits:
    """Limits of one series in its own unit; infinite where there is none. Rates per second, spans of time in [s]."""

    fail_low: float = -INF
    fail_high: float = INF
    suspect_low: float = -INF
    suspect_high: float = INF
    rate_suspect: float = INF
    rate_fail: float = INF
    spike_suspect: float = INF
    spike_fail: float = INF
    flat_suspect_s: float = INF
    flat_fail_s: float = INF
    flat_tolerance: float = 0.0
    gap_s: float = INF
    spike_gap_s: float = INF
    spike_average: bool = False
    neighbour_suspect: float = INF
    neighbour_fail: float = INF
    neighbour_radius: float = 0.0
    neighbour_window_s: float = 0.0
    neighbour_series: tuple[str, ...] = ()

    @property
    def numbers(self) -> tuple[float, ...]:
        """All limits that are numbers, in the order of ``NUMBERS``."""
        return _PICK_NUMBERS(self)

    @property
    def asks_neighbours(self) -> bool:
        """Whether readings are compared with those of neighbours."""
        return self.neighbour_suspect < INF or self.neighbour_fail < INF


NUMBERS = tuple(field.name for field in fields(QualityLimits) if field.name != "neighbour_series")
_PICK_NUMBERS = attrgetter(*NUMBERS)


@dataclass(frozen=True, slots=True)
class _Usual:
    """Usual limits of a property in its quantity's unit; a step is a change from one reading to the next."""

    fail: tuple[float, float]
    suspect: tuple[float, float] = (-INF, INF)
    rate: tuple[float, float] = (INF, INF)
    step: tuple[float, float] = (0.0, 0.0)
    spike: tuple[float, float] = (INF, INF)
    flat: tuple[float, float, float] = (INF, INF, 0.0)


_H = 3600.0
_USUAL: dict[str, _Usual] = {
    "stage": _Usual(
        (-20.0, 9000.0), rate=(3.0 / _H, 12.0 / _H), step=(0.1, 0.4), spike=(0.2, 0.5), flat=(3 * _H, 6 * _H, 1e-4)
    ),
    "water_table_depth": _Usual((-10.0, 500.0), rate=(1.0 / _H, 5.0 / _H), step=(0.1, 0.4), spike=(0.2, 1.0)),
    "rainfall": _Usual((0.0, 200.0), (0.0, 60.0)),
    "rainfall_intensity": _Usual((0.0, 1000.0), (0.0, 250.0)),
    "velocity": _Usual((-15.0, 15.0), (-5.0, 5.0)),
    "temperature": _Usual((-60.0, 60.0), (5.0, 45.0), spike=(3.0, 8.0)),
    "air_temperature": _Usual((-60.0, 60.0), (5.0, 45.0), spike=(3.0, 8.0)),
    "water_temperature": _Usual((-2.0, 50.0), (5.0, 40.0), spike=(3.0, 8.0), flat=(12 * _H, 24 * _H, 1e-4)),
    "ph": _Usual((0.0, 14.0), (4.0, 10.0), spike=(0.5, 2.0), flat=(12 * _H, 24 * _H, 1e-4)),
    "dissolved_oxygen": _Usual((0.0, 40.0), (0.0, 20.0), spike=(2.0, 6.0)),
    "salinity": _Usual((0.0, 100.0), (0.0, 40.0), spike=(2.0, 6.0)),
    "pm2p5": _Usual((0.0, 2000.0), (0.0, 500.0)),
    "pm10": _Usual((0.0, 3000.0), (0.0, 800.0)),
}
"""By observed property; others have the range their quantity can have. Stage: no tide rises by 3 m an hour, and a gauge
that stands still to 0.1 mm for 3 h is stuck.
"""


@lru_cache(maxsize=8192)
def read_limits(
    observed_property: str, definition: str, unit: str, interval_s: float | None, quality_tests: str | None
) -> QualityLimits:
    """Return the limits of a series.

    ``quality_tests`` is its JSON text. The usual limits go by the property's id or by the CF standard name at the end
    of its ``definition``; a property that is not known has none. Raises InputError for a test or a limit that cannot
    be read.
    """
    values = _find_usual(_name_property(observed_property, definition), unit, interval_s)
    given = orjson.loads(quality_tests) if quality_tests else {}
    if not isinstance(given, dict):
        raise InputError(f"quality_tests {str(given)[:60]!r} is no object of tests")
    for test, limits in given.items():
        names = _TESTS.get(test)
        if names is None:
            raise InputError(f"there is no quality test '{test[:60]}'", hint=f"one of {', '.join(_TESTS)}")
        for name in _FIELDS[test]:
            values.pop(name, None)
        if limits is not None:
            values.update(_read_test(test, limits, names, interval_s))
    read = QualityLimits(**values)
    if not (read.fail_low <= read.suspect_low or read.suspect_low == -INF) or not (
        read.suspect_high <= read.fail_high or read.suspect_high == INF
    ):
        raise InputError("suspect_span of gross_range_test lies outside its fail_span")
    return read


def spread_limits(limits: Iterable[QualityLimits], series: NDArray[np.int64]) -> Limits:
    """Return each limit as an array of one value a reading; ``series`` (n,) holds positions in ``limits``."""
    table = np.array([each.numbers for each in limits], dtype=np.float64).reshape(-1, len(NUMBERS))
    return dict(zip(NUMBERS, table.T[:, series], strict=True))


_TESTS: dict[str, dict[str, tuple[str, ...]]] = {
    "gross_range_test": {"fail_span": ("fail_low", "fail_high"), "suspect_span": ("suspect_low", "suspect_high")},
    "rate_of_change_test": {"threshold": ("rate_suspect",), "fail_threshold": ("rate_fail",)},
    "spike_test": {
        "suspect_threshold": ("spike_suspect",),
        "fail_threshold": ("spike_fail",),
        "method": ("spike_average",),
    },
    "flat_line_test": {
        "suspect_threshold": ("flat_suspect_s",), "fail_threshold": ("flat_fail_s",), "tolerance": ("flat_tolerance",),
    },
    "gap_test": {"threshold": ("gap_s",)},
    "neighbours_test": {
        "suspect_threshold": ("neighbour_suspect",), "fail_threshold": ("neighbour_fail",),
        "radius": ("neighbour_radius",), "window": ("neighbour_window_s",), "series": ("neighbour_series",),
    },
}  # fmt: skip
"""By test: each limit and the fields it fills. A test's whole set of fields is replaced by what a series says."""
_FIELDS = {test: [field for names in limits.values() for field in names] for test, limits in _TESTS.items()}


def _read_test(
    test: str, limits: Any, names: Mapping[str, tuple[str, ...]], interval_s: float | None
) -> dict[str, Any]:
    if not isinstance(limits, dict) or not set(limits) <= set(names):
        raise InputError(f"{test} {str(limits)[:80]!r} cannot be read", hint=f"an object of {', '.join(names)}")
    read: dict[str, Any] = {}
    for name, limit in limits.items():
        if name == "method":
            if limit not in ("average", "differential"):
                raise InputError(f"method of {test} is {str(limit)[:40]!r}", hint="average or differential")
            read["spike_average"] = limit == "average"
            continue
        if name == "series":
            read["neighbour_series"] = tuple(str(each) for each in limit)
            continue
        numbers = limit if isinstance(limit, list) else [limit]
        told = [isinstance(each, int | float) and not isinstance(each, bool) for each in numbers]
        if len(numbers) != len(names[name]) or not all(told):
            raise InputError(f"{name} of {test} is {str(limit)[:40]!r}, expected {len(names[name])} number(s)")
        read.update(zip(names[name], sorted(map(float, numbers)), strict=True))
    if test == "neighbours_test":
        if not read.get("neighbour_series") and not read.get("neighbour_radius"):
            raise InputError("neighbours_test names no neighbours", hint="give 'series' or 'radius' [m]")
        read.setdefault("neighbour_window_s", (interval_s or 600.0) * 1.5)
    return read


def _name_property(observed_property: str, definition: str) -> str:
    word = definition.rstrip("/").rsplit("/", 1)[-1].rsplit("#", 1)[-1]
    for name in (observed_property, word):
        if name in QUANTITIES:
            return name
    return next((name for name, each in QUANTITIES.items() if word and each.cf_standard_name == word), "")


def _find_usual(name: str, unit: str, interval_s: float | None) -> dict[str, Any]:
    """Return the usual limits of a property in ``unit``; none when it is not known or measured in something else."""
    quantity = QUANTITIES.get(name)
    if quantity is None:
        return {}
    usual = _USUAL.get(name) or _Usual((quantity.minimum, quantity.maximum))
    try:
        factor = conversion_factor(quantity.unit, unit)
    except InputError:
        return {}
    every = interval_s or 600.0
    # What is read often jumps by its noise: a rate is never tested below a step.
    rates = [max(rate, step / every) * factor for rate, step in zip(usual.rate, usual.step, strict=True)]
    return {
        "fail_low": usual.fail[0] * factor,
        "fail_high": usual.fail[1] * factor,
        "suspect_low": usual.suspect[0] * factor,
        "suspect_high": usual.suspect[1] * factor,
        "rate_suspect": rates[0],
        "rate_fail": rates[1],
        "spike_suspect": usual.spike[0] * factor,
        "spike_fail": usual.spike[1] * factor,
        "flat_suspect_s": usual.flat[0],
        "flat_fail_s": usual.flat[1],
        "flat_tolerance": usual.flat[2] * factor,
        "spike_gap_s": every * 3.5,
    }
