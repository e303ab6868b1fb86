"""When a limit was exceeded: the last time of it in the readings of a sensor."""

from datetime import UTC, datetime

import numpy as np

from layers.errors import NotFoundError
from twin.process import CityView

LONGEST_LULL = 3 * 3600.0
"""Exceedances no further apart than this are one [s]."""


def find_exceedance(
    city: CityView, sensor: str, observed_property: str, limit: float, start: datetime, end: datetime, *, below: bool
) -> tuple[datetime, datetime]:
    """Return from when to when a sensor last read above a limit (below it, of what is better high).

    The times are those of the first and the last reading beyond it. Raises NotFoundError where the sensor has no such
    series, or never exceeded it.
    """
    times, values = city.series(city.find_datastream(sensor, observed_property), start, end)
    beyond = np.flatnonzero(values < limit if below else values > limit)
    if not beyond.size:
        word = "below" if below else "above"
        raise NotFoundError(
            f"'{sensor[:80]}' never read {observed_property} {word} {limit:g} from {start} to {end}",
            hint="give another limit, more days, or start and end",
        )
    parted = np.flatnonzero(np.diff(times[beyond]) > LONGEST_LULL)
    first = beyond[parted[-1] + 1] if parted.size else beyond[0]
    return datetime.fromtimestamp(float(times[first]), UTC), datetime.fromtimestamp(float(times[beyond[-1]]), UTC)
