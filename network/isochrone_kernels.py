"""The loop that spreads arrival times from roads to the ground beside them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from network.compiling import compile_loop

Array = NDArray[Any]


@compile_loop
def spread(columns: Array, rows: Array, seconds: Array, reach: float, pace: float, field: Array) -> None:
    """Lower ``field`` (rows, cols) [s] to the earliest arrival from any place within ``reach``.

    columns, rows: places in units of the grid (places,); seconds: arrival there; pace: seconds a unit off the road.
    """
    height, width = field.shape
    for place in range(columns.size):
        x, y, moment = columns[place], rows[place], seconds[place]
        for row in range(max(int(np.ceil(y - reach)), 0), min(int(np.floor(y + reach)), height - 1) + 1):
            for column in range(max(int(np.ceil(x - reach)), 0), min(int(np.floor(x + reach)), width - 1) + 1):
                away = np.hypot(x - column, y - row)
                if away <= reach and moment + away * pace < field[row, column]:
                    field[row, column] = moment + away * pace
