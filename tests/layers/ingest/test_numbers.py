"""Numbers as people write them have one reading, or none."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.errors import InputError
from layers.ingest.measures import UNIT_WORDS, read_measure
from layers.ingest.numbers import NumberStyle, has_two_readings, read_number
from layers.quantities import conversion_factor


@pytest.mark.parametrize(
    ("text", "plain", "vi", "en", "mixed"),
    [
        ("1.234", 1.234, 1234.0, 1.234, None),
        ("1,234", None, 1.234, 1234.0, None),
        ("1.234,5", None, 1234.5, None, 1234.5),
        ("1,234.5", None, None, 1234.5, 1234.5),
        ("1 234,5", None, 1234.5, None, 1234.5),
        ("1\u00a0234\u00a0567", None, 1234567.0, 1234567.0, 1234567.0),
        ("1\u202f234", None, 1234.0, 1234.0, 1234.0),
        ("1'234.5", None, None, 1234.5, 1234.5),
        ("0.123", 0.123, None, 0.123, 0.123),
        ("0,5", None, 0.5, None, 0.5),
        ("1234.567", 1234.567, None, 1234.567, 1234.567),
        ("−5", None, -5.0, -5.0, -5.0),
        ("+5", 5.0, 5.0, 5.0, 5.0),
        ("1e3", 1000.0, 1000.0, 1000.0, 1000.0),
        ("12.34.567", None, None, None, None),
        ("12,34,567", None, None, None, None),
        ("1 2", None, None, None, None),
        ("1_000", None, None, None, None),
        ("inf", None, None, None, None),
        ("nan", None, None, None, None),
        ("5m", None, None, None, None),
        ("", None, None, None, None),
    ],
)
def test_one_text_in_every_style(
    text: str, plain: float | None, vi: float | None, en: float | None, mixed: float | None
) -> None:
    assert [read_number(text, style) for style in (None, "vi", "en", "mixed")] == [plain, vi, en, mixed]
    assert has_two_readings(text) is (text in ("1.234", "1,234"))


def write(value: float, style: NumberStyle, gap: str, digits: int) -> str:
    english = f"{value:,.{digits}f}"
    point = "," if style == "vi" else "."
    return english.replace(",", "\0").replace(".", point).replace("\0", gap)


@settings(deadline=None)
@given(
    st.floats(-1e12, 1e12, allow_nan=False),
    st.sampled_from(["vi", "en"]),
    st.sampled_from(["", " ", "\u00a0", "\u202f", "'", "own"]),
    st.integers(0, 4),
)
def test_what_was_written_is_read(value: float, style: NumberStyle, gap: str, digits: int) -> None:
    text = write(value, style, ("." if style == "vi" else ",") if gap == "own" else gap, digits)
    meant = float(f"{value:.{digits}f}")
    assert read_number(text, style) == meant
    # Where the other style reads something else, mixed says nothing.
    other = read_number(text, "en" if style == "vi" else "vi")
    assert read_number(text, "mixed") == (meant if other in (None, meant) else None)


@settings(deadline=None)
@given(st.text(max_size=12), st.sampled_from([None, "vi", "en", "mixed"]))
def test_any_text_is_a_finite_number_or_none(text: str, style: NumberStyle | None) -> None:
    value = read_number(text, style)
    assert value is None or math.isfinite(value)
    measure = read_measure(text, style)
    assert measure is None or math.isfinite(measure[0])


@pytest.mark.parametrize(
    ("cell", "style", "expected"),
    [
        ("600mm", None, (600.0, "mm")),
        ("600 mm.", None, (600.0, "mm")),
        ("D600", None, (600.0, "mm")),
        ("DN300", None, (300.0, "mm")),
        ("Ø 600", None, (600.0, "mm")),
        ("D=1,2m", "vi", (1.2, "m")),
        ("phi 100", None, (100.0, "mm")),
        ("1,2 m", "vi", (1.2, "m")),
        ("1,2 m", None, None),
        ("1.234,5 m", "vi", (1234.5, "m")),
        ("24in", None, (24.0, "in")),
        ('24"', None, (24.0, "in")),
        ("5'6\"", None, (66.0, "in")),
        ("5′ 6″", None, (66.0, "in")),
        ("5 ft 6 in", None, (66.0, "in")),
        ("5' - 6 1/2\"", None, (66.5, "in")),
        ("5'", None, (60.0, "in")),
        ('3/4"', None, (0.75, "in")),
        ('1 1/2"', None, (1.5, "in")),
        ('1/0"', None, None),
        ("5 ft", None, (5.0, "ft")),
        ("1,234 ft", "en", (1234.0, "ft")),
        ("350 m3/ngày đêm", None, (350.0, "m3/d")),
        ("12 m²", None, (12.0, "m2")),
        ("15 kW", None, (15.0, "kW")),
        ("12", None, (12.0, None)),
        ("1.250,5 tỷ đồng", "vi", (1250.5, "{billion VND}")),
        ("45000 VND", None, (45000.0, "{VND}")),
        ("3,5 kg/cm²", "vi", (3.5, "kgf/cm2")),
        ("600x800", None, None),
        ("600 widgets", None, None),
        ("D", None, None),
        ("24 x 24", None, None),
    ],
)
def test_units_in_cells(cell: str, style: NumberStyle | None, expected: tuple[float, str | None] | None) -> None:
    assert read_measure(cell, style) == expected


@pytest.mark.parametrize("unit", sorted(set(UNIT_WORDS.values())))
def test_units_of_cells_are_units_of_ours(unit: str) -> None:
    with pytest.raises(InputError, match="measure different things"):
        conversion_factor(unit, "h")
