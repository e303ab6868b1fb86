"""Names compared: what inventories call their columns must be near what the declarations call them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.ingest.proposal.wording import compare, drop_common_prefix, split_words


def test_names_are_split_at_every_kind_of_joint() -> None:
    assert split_words("DuongKinh_mm") == ("duong", "kinh", "mm")
    assert split_words("Đường kính (mm)") == ("duong", "kinh", "mm")
    assert split_words("areaKm2") == ("area", "km2")
    assert split_words("System Type") == split_words("System_Type") == split_words("systemType")
    assert split_words("Đặc khu Phú Quốc") == ("dac", "khu", "phu", "quoc")


@pytest.mark.parametrize(
    ("name", "alias", "least"),
    [
        ("Duong_Kinh", "Đường kính", 1.0),
        ("RimElevati", "rim elevation", 0.9),
        ("SURFACEELE", "surface elevation", 0.9),
        ("DIAM", "diameter", 0.75),
        ("ngay_ld", "Ngày lắp đặt", 0.7),
        ("chieu_dai_m", "chiều dài", 0.7),
        ("cdd", "Cao độ đáy", 0.6),
        ("Longtitude", "longitude", 0.7),
    ],
)
def test_what_means_the_same_is_near(name: str, alias: str, least: float) -> None:
    assert compare(split_words(name), split_words(alias)).score >= least


@pytest.mark.parametrize(
    ("name", "alias"),
    [("owner", "elevation"), ("street name", "name"), ("last update", "date"), ("x", "y"), ("ten", "tinh trang")],
)
def test_what_means_something_else_is_not_sure(name: str, alias: str) -> None:
    assert compare(split_words(name), split_words(alias)).score < 0.6


def test_a_prefix_of_nearly_all_columns_is_dropped() -> None:
    words = drop_common_prefix(["p_id", "p_rimelev", "p_invertel", "p_owner", "p_note", "Longitude"])
    assert words["p_rimelev"] == ("rimelev",)
    assert words["Longitude"] == ("longitude",)
    assert drop_common_prefix(["a_one", "b_two"])["a_one"] == ("a", "one")


@given(st.text(max_size=30), st.text(max_size=30))
def test_a_comparison_is_between_nothing_and_the_same(left: str, right: str) -> None:
    one, other = split_words(left), split_words(right)
    assert 0.0 <= compare(one, other).score <= 1.0
    if one:
        assert compare(one, one).score == 1.0
