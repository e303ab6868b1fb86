"""Rain fields: each cell gets the rain of where it is, gauges weigh by distance, wrong units are named."""

import numpy as np
import pytest
from numpy.typing import NDArray

from hydrology.rainfall import RainGrid, spread_gauges
from layers.errors import InputError
from layers.grid import Grid

CITY = Grid(40, 60, 1000.0, 5400.0, 10.0, "EPSG:5897")
RADAR = Grid(3, 4, 900.0, 5450.0, 200.0, "EPSG:5897")
TIMES = np.array([0.0, 300.0])


def make_fields() -> NDArray[np.float64]:
    return np.arange(24.0).reshape(2, 3, 4)


def test_each_cell_has_the_rain_of_the_radar_cell_above_it() -> None:
    rain = RainGrid.sample(TIMES, make_fields(), RADAR, CITY)
    assert rain.cell.shape == CITY.shape
    for row, col in ((0, 0), (13, 9), (14, 10), (39, 59), (20, 31)):
        x, y = CITY.centres()
        j, i = int((x[col] - 900.0) // 200.0), int((5450.0 - y[row]) // 200.0)
        for time, field in ((0.0, 0), (299.0, 0), (300.0, 1), (1e6, 1)):
            assert rain.intensity_at(time)[rain.cell[row, col]] == make_fields()[field, i, j]
    assert not rain.intensity_at(-1.0).any()


def test_a_field_does_not_change_with_what_was_handed_out() -> None:
    rain = RainGrid.sample(TIMES, make_fields(), RADAR, CITY)
    rain.intensity_at(0.0)[:] = 99.0
    assert rain.intensity_at(0.0).max() == 11.0


def test_gauges_weigh_by_distance_and_rule_where_they_stand() -> None:
    place = np.array([[1050.0, 5350.0], [1550.0, 5050.0]])
    series = np.array([[10.0, 30.0], [0.0, 50.0]])
    rain = spread_gauges(place, TIMES, series, CITY, spacing=100.0)
    field = rain.intensity_at(0.0)[rain.cell]
    assert field[4, 4] == 10.0
    assert field[34, 54] == 30.0
    assert np.all((field >= 10.0) & (field <= 30.0))
    # Cell centred on (1150, 5350): 100 m from one, 500 m from the other: weights 1 and 1/25.
    assert field[4, 14] == pytest.approx((10.0 + 30.0 / 25.0) / (1.0 + 1.0 / 25.0))
    assert rain.intensity_at(300.0)[rain.cell[4, 14]] == pytest.approx((50.0 / 25.0) / (1.0 + 1.0 / 25.0))
    alike = spread_gauges(place, TIMES, np.full((2, 2), 7.0), CITY, spacing=100.0, power=3.0)
    assert alike.intensity_at(0.0) == pytest.approx(np.full(24, 7.0))


def test_rain_that_cannot_be_is_named() -> None:
    fields = make_fields()
    for value, message in (
        (np.nan, "intensity at time 1 in grid cell 5 is nan mm/h, expected 0 to"),
        (-2.0, "intensity at time 1 in grid cell 5 is -2 mm/h"),
        (5000.0, "intensity at time 1 in grid cell 5 is 5000 mm/h"),
    ):
        fields[1, 1, 1] = value
        with pytest.raises(InputError, match=message):
            RainGrid.sample(TIMES, fields, RADAR, CITY)
    # 50 mm/h given as m/h or m/s.
    for factor in (1e-3, 1.0 / 3.6e6):
        with pytest.raises(InputError, match="not in m/h or m/s"):
            RainGrid.sample(TIMES, make_fields() / 23.0 * 9.0 * factor, RADAR, CITY)
    # 50 mm/h given as µm/h.
    with pytest.raises(InputError, match="is 50000 mm/h"):
        spread_gauges(np.zeros((1, 2)), TIMES, np.full((2, 1), 5.0e4), CITY, spacing=100.0)


def test_grids_that_do_not_fit_are_named() -> None:
    fields = make_fields()
    with pytest.raises(InputError, match="has CRS EPSG:9209, expected the city grid's EPSG:5897"):
        RainGrid.sample(TIMES, fields, Grid(3, 4, 900.0, 5450.0, 200.0, "EPSG:9209"), CITY)
    with pytest.raises(InputError, match="expected all cell centres"):
        RainGrid.sample(TIMES, fields, Grid(3, 4, 1100.0, 5450.0, 200.0, "EPSG:5897"), CITY)
    with pytest.raises(InputError, match=r"shape \(2, 4, 3\), expected \(times, \*\(3, 4\)\)"):
        RainGrid.sample(TIMES, fields.reshape(2, 4, 3), RADAR, CITY)
    with pytest.raises(InputError, match=r"times \(3,\) and values \(2,\) differ"):
        RainGrid.sample(np.arange(3.0), fields, RADAR, CITY)
    with pytest.raises(InputError, match=r"cell \(0, 1\) takes its rain from grid cell 12, expected 0 to 11"):
        RainGrid(TIMES, fields.reshape(2, -1), np.array([[0, 12]], dtype=np.int32))
    with pytest.raises(InputError, match="cell is float64"):
        RainGrid(TIMES, fields.reshape(2, -1), np.zeros((2, 2)))  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"intensity has shape \(2,\), expected \(times, grid cells\)"):
        RainGrid(TIMES, np.zeros(2), np.zeros((2, 2), dtype=np.int32))
    for place, series, power, message in (
        (np.zeros((0, 2)), np.zeros((2, 0)), 2.0, r"positions of shape \(0, 2\)"),
        (np.zeros((2, 2)), np.zeros((2, 3)), 2.0, r"shape \(2, 3\), expected \(times, 2\)"),
        (np.zeros((1, 2)), np.zeros((2, 1)), -1.0, "power is -1.0, expected 0 to 10"),
    ):
        with pytest.raises(InputError, match=message):
            spread_gauges(place, TIMES, series, CITY, spacing=100.0, power=power)
