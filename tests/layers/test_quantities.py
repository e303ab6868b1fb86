"""Units and their conversion."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.errors import InputError
from layers.quantities import _TO_SI, QUANTITIES, conversion_factor


def test_known_factors() -> None:
    # International foot and US survey foot: NIST Handbook 44, appendix C.
    assert conversion_factor("ft", "m") == 0.3048
    assert conversion_factor("us-ft", "m") == pytest.approx(0.304800609601219, rel=1e-12)
    assert conversion_factor("in", "mm") == pytest.approx(25.4, rel=1e-12)
    assert conversion_factor("ha", "m2") == 10_000.0
    assert conversion_factor("mph", "km/h") == pytest.approx(1.609344, rel=1e-15)
    assert conversion_factor("m/s", "km/h") == pytest.approx(3.6, rel=1e-15)
    assert conversion_factor("%", "1") == 0.01
    assert conversion_factor("l/s", "m3/d") == pytest.approx(86.4, rel=1e-12)
    assert conversion_factor("gal/min", "l/s") == pytest.approx(0.0630901964, rel=1e-9)
    assert conversion_factor("bar", "kPa") == pytest.approx(100.0, rel=1e-12)
    assert conversion_factor("mH2O", "kPa") == pytest.approx(9.80665, rel=1e-12)
    assert conversion_factor("{billion VND}", "{million VND}") == pytest.approx(1000.0, rel=1e-12)


@given(st.sampled_from(sorted(_TO_SI)), st.sampled_from(sorted(_TO_SI)))
def test_there_and_back_is_one_or_refused(one: str, other: str) -> None:
    try:
        assert conversion_factor(one, other) * conversion_factor(other, one) == pytest.approx(1.0, rel=1e-12)
    except InputError as error:
        assert "different things" in error.message


def test_unknown_unit_is_named() -> None:
    with pytest.raises(InputError, match="unit 'furlong' is not known"):
        conversion_factor("furlong", "m")


def test_ranges_are_ranges() -> None:
    assert all(quantity.minimum < quantity.maximum for quantity in QUANTITIES.values())
