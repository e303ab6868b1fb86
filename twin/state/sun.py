"""Where the sun stands, for lamps that follow it.

Source: NOAA Solar Calculator, after Meeus, Astronomical Algorithms (1991), chapters 22 and 25; its sunrise and sunset
are good to a minute between 72° north and south.
"""

import math
from datetime import UTC, date, datetime, timedelta

_J2000 = datetime(2000, 1, 1, 12, tzinfo=UTC)
HORIZON = -0.833
"""Elevation of the sun's centre at sunrise and sunset [°]: its radius and the refraction at the horizon."""


def compute_elevation(at: datetime, latitude: float, longitude: float) -> float:
    """Return the elevation of the sun's centre without refraction [°] at a place [°]."""
    declination, equation = _compute_sun(at)
    minutes = (at.astimezone(UTC) - at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)) / timedelta(
        minutes=1
    )
    hour_angle = math.radians((minutes + equation + 4.0 * longitude) / 4.0 - 180.0)
    phi, delta = math.radians(latitude), math.radians(declination)
    sine = math.sin(phi) * math.sin(delta) + math.cos(phi) * math.cos(delta) * math.cos(hour_angle)
    return math.degrees(math.asin(max(-1.0, min(1.0, sine))))


def compute_sunrise(day: date, latitude: float, longitude: float) -> tuple[datetime, datetime] | None:
    """Return sunrise and sunset (UTC) of the solar day whose noon lies on ``day`` (local mean time); None in polar
    day and night.
    """
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC) - timedelta(minutes=4.0 * longitude)
    edges = []
    for side in (-1.0, 1.0):
        moment = noon
        # The sun moves little in half a day: three rounds settle below a second.
        for _ in range(3):
            declination, equation = _compute_sun(moment)
            phi, delta = math.radians(latitude), math.radians(declination)
            cosine = (math.sin(math.radians(HORIZON)) - math.sin(phi) * math.sin(delta)) / (
                math.cos(phi) * math.cos(delta)
            )
            if not -1.0 <= cosine <= 1.0:
                return None
            half = math.degrees(math.acos(cosine)) * 4.0
            moment = noon + timedelta(minutes=side * half - equation)
        edges.append(moment)
    return edges[0], edges[1]


def _compute_sun(at: datetime) -> tuple[float, float]:
    """Return the sun's declination [°] and the equation of time [min]."""
    century = (at - _J2000) / timedelta(days=36525)
    mean_longitude = math.radians((280.46646 + century * (36000.76983 + 0.0003032 * century)) % 360.0)
    anomaly = math.radians(357.52911 + century * (35999.05029 - 0.0001537 * century))
    eccentricity = 0.016708634 - century * (0.000042037 + 0.0000001267 * century)
    centre = (
        math.sin(anomaly) * (1.914602 - century * (0.004817 + 0.000014 * century))
        + math.sin(2.0 * anomaly) * (0.019993 - 0.000101 * century)
        + math.sin(3.0 * anomaly) * 0.000289
    )
    node = math.radians(125.04 - 1934.136 * century)
    apparent = mean_longitude + math.radians(centre - 0.00569 - 0.00478 * math.sin(node))
    obliquity = math.radians(
        23.0
        + (26.0 + (21.448 - century * (46.815 + century * (0.00059 - century * 0.001813))) / 60.0) / 60.0
        + 0.00256 * math.cos(node)
    )
    declination = math.degrees(math.asin(math.sin(obliquity) * math.sin(apparent)))
    y = math.tan(obliquity / 2.0) ** 2
    equation = 4.0 * math.degrees(
        y * math.sin(2.0 * mean_longitude)
        - 2.0 * eccentricity * math.sin(anomaly)
        + 4.0 * eccentricity * y * math.sin(anomaly) * math.cos(2.0 * mean_longitude)
        - 0.5 * y * y * math.sin(4.0 * mean_longitude)
        - 1.25 * eccentricity**2 * math.sin(2.0 * anomaly)
    )
    return declination, equation
