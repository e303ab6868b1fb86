"""Coordinates as tables have them become numbers; what is none stays none."""

import numpy as np
import pandas as pd
import pytest

from layers.ingest.coordinates import read_coordinates


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("105.75", 105.75),
        (" 580123,45 ", 580123.45),
        ("10°02'15\"N", 10 + 2 / 60 + 15 / 3600),
        ("10° 2' 15,5\" B", 10 + 2 / 60 + 15.5 / 3600),
        ("Đ 105°45’30”", 105 + 45 / 60 + 30 / 3600),
        ("10:02:15", 10 + 2 / 60 + 15 / 3600),
        ("10°30'", 10.5),
        ("33°30'S", -33.5),
        ("1,234,567", None),
        ("10°75'", None),
        ("abc", None),
        ("", None),
        (None, None),
        ("inf", None),
    ],
)
def test_what_people_write(text: str | None, number: float | None) -> None:
    found = read_coordinates(pd.Series([text], dtype=object))[0]
    assert np.isnan(found) or np.isinf(found) if number is None else found == pytest.approx(number, abs=1e-12)
