"""How much ground is under water, by the newest flood runs."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import numpy as np
import rasterio
from rasterio.errors import RasterioError

from hydrology.hazard import WET_DEPTH
from layers.schema import Text
from twin.indicators.words import Measured
from twin.store_indicators import FloodRow

_GONE = Text("tệp kết quả của lần tính không còn", "the file of the run is gone")
_UNTIMED = Text("lần tính mới nhất không giữ độ sâu theo giờ", "the newest run keeps no depths by time")


def measure_flooded_now(runs: Sequence[FloodRow], processed: Path, now: datetime) -> Measured:
    """Return the flooded area [m²] at the time of the run nearest to ``now``."""
    run = next((each for each in runs if each.path is not None), None)
    if run is None or run.path is None:
        return Measured(None, note=_UNTIMED if runs else None)
    band = min(range(len(run.times)), key=lambda place: abs(run.times[place] - now))
    area = _read_wet_area(processed / run.path, band + 1)
    if area is None:
        return Measured(None, note=_GONE)
    return Measured(area, 1, time=run.times[band])


def measure_flooded_forecast(runs: Sequence[FloodRow]) -> Measured:
    """Return the largest flooded area [m²] of the newest forecast, of an ensemble the expected one."""
    run = next((each for each in runs if each.flooded_area is not None), None)
    return Measured(run.flooded_area, 1, time=run.finished) if run else Measured(None)


def measure_people(runs: Sequence[FloodRow]) -> Measured:
    """Return how many people the newest forecast finds where water stands."""
    run = next((each for each in runs if each.people is not None), None)
    return Measured(run.people, 1, time=run.finished) if run else Measured(None)


@lru_cache(maxsize=32)
def _read_wet_area(path: Path, band: int) -> float | None:
    """Return the ground under water in one band of a raster of depths [m²]; a run's file never changes."""
    try:
        with rasterio.open(path) as source:
            depth = np.ma.filled(source.read(band, masked=True).astype(np.float32), np.nan)
            cell = abs(float(source.transform.a) * float(source.transform.e))
    except RasterioError:
        return None
    return float(np.count_nonzero(depth >= np.float32(WET_DEPTH))) * cell
