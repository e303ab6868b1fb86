"""Words of a forecast: the next high water and how fast the stage moves."""

import numpy as np
import pytest

from twin.forecasts.writing import write_next_high, write_trend
from twin.store_forecasts import Values

START = 1_790_000_000.0
PERIOD = 44_700.0


def tide(times: np.ndarray) -> np.ndarray:
    """Return a tide [m] that is highest a quarter of its period after START."""
    return 1.0 + np.sin(2.0 * np.pi * (times - START) / PERIOD)


def forecast(start: float) -> Values:
    """Return a forecast of the tide with a band of 10 cm on either side."""
    times = start + 600.0 * np.arange(1, 193)
    spread = np.array([-0.12, -0.1, -0.05, 0.0, 0.05, 0.1, 0.12])
    return Values(times, tide(times)[:, None] + spread, tide(times), tide(times))


@pytest.mark.parametrize(("passed_h", "ahead_h"), [(1.0, 2.1), (2.5, 0.6), (3.5, 12.0)])
def test_the_next_high_water_is_found_near_the_start_too(passed_h: float, ahead_h: float) -> None:
    start = START + passed_h * 3600.0
    past = np.arange(start - 5 * 3600.0, start + 1.0, 600.0)
    found = write_next_high(forecast(start), past, tide(past))
    assert found is not None
    assert found["stage"] == pytest.approx(2.0, abs=0.01)
    assert found["upper"] - found["lower"] == pytest.approx(0.2, abs=0.001)
    seconds = np.datetime64(found["time"].rstrip("Z")).astype("datetime64[s]").astype(float) - start
    assert seconds / 3600.0 == pytest.approx(ahead_h, abs=0.2)


def test_a_stage_that_stays_has_no_high_water() -> None:
    times = START + 600.0 * np.arange(1, 193)
    flat = Values(times, np.full((192, 7), 1.0), np.full(192, np.nan), np.full(192, np.nan))
    assert write_next_high(flat, np.zeros(0), np.zeros(0)) is None


def test_the_trend_is_that_of_the_last_hour() -> None:
    times = START + 600.0 * np.arange(13)
    stages = np.where(times <= START + 3600.0, 1.0, 1.0 + (times - START - 3600.0) / 3600.0 * 0.3)
    assert write_trend(times, stages) == pytest.approx(0.3)
    assert write_trend(times[:3], stages[:3]) is None, "twenty minutes tell no trend"
    assert write_trend(times[:5], stages[:5]) == 0.0
