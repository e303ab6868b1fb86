"""Texts made of other properties: only where there is none, without what is empty, counted."""

from collections import Counter

import pandas as pd
import pytest

from layers.errors import DeclarationError
from layers.ingest.compose import compose_again, compose_texts
from layers.registry import VECTOR_LAYERS
from layers.schema import Style, Text, VectorLayer, text

ADDRESSES = VECTOR_LAYERS["addresses"]


def test_an_address_is_made_of_its_parts() -> None:
    made = pd.DataFrame(
        {
            "house_number": ["12", "7", None, None],
            "alley": [None, "Hẻm 3", None, None],
            "street": ["Nguyễn Trãi", "Hoa Sữa", "30 Tháng 4", None],
            "ward": ["Phường Ninh Kiều", None, "Phường Cái Khế", None],
            "full_address": [None, None, "Số 9 đường 30/4", None],
        },
        dtype=object,
    )
    counted: Counter[str] = Counter()
    compose_texts(made, ADDRESSES, counted)
    assert made["full_address"].tolist() == [
        "12 Nguyễn Trãi, Phường Ninh Kiều",
        "7 Hẻm 3 Hoa Sữa",
        "Số 9 đường 30/4",
        None,
    ]
    assert counted == {"full_address: made of other properties": 2}


def test_a_column_nobody_mapped_is_made_too() -> None:
    made = pd.DataFrame({"house_number": ["1"], "street": ["Hòa Bình"]}, dtype=object)
    compose_texts(made, ADDRESSES, Counter())
    assert made["full_address"].tolist() == ["1 Hòa Bình"]


def test_a_layer_without_templates_is_left_alone() -> None:
    made = pd.DataFrame({"name": ["x"]}, dtype=object)
    compose_texts(made, VECTOR_LAYERS["places"], Counter())
    assert list(made.columns) == ["name"]


PARTS = {"house_number": "12", "street": "Hòa Bình"}


@pytest.mark.parametrize(
    ("own", "before", "expected"),
    [
        (None, None, "12 Hòa Bình"),
        ("Nhà văn hóa", None, None),
        ("10 Hòa Bình", {"house_number": "10", "street": "Hòa Bình"}, "12 Hòa Bình"),
        ("Nhà văn hóa", {"house_number": "10", "street": "Hòa Bình"}, None),
    ],
)
def test_what_was_made_before_is_made_again(
    own: str | None, before: dict[str, str] | None, expected: str | None
) -> None:
    made = compose_again(ADDRESSES, PARTS | {"full_address": own}, before)
    assert made == ({} if expected is None else {"full_address": expected})


def test_a_template_names_properties_of_its_layer() -> None:
    name = text("name", "Tên", "Name", template="{number} {strete}")
    with pytest.raises(DeclarationError, match=r"'things.name' is made of \['number', 'strete'\]"):
        VectorLayer("things", "t", Text("x", "x"), Text("x", "x"), "Point", (name,), Style("#ffffff"), 1)
