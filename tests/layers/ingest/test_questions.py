"""Dates with two readings stop a load; a rule, or one value that decides, lets it go on."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from layers.errors import MappingError
from layers.ingest.mapping import LayerRule
from layers.ingest.questions import check_dates
from layers.registry import read_vector_layer


def check(values: list[Any], **rule: Any) -> None:
    layer = LayerRule.model_validate({"layer": "trees", "properties": {"planted": {"column": "ngay", **rule}}})
    check_dates(pd.DataFrame({"ngay": values}), read_vector_layer("trees"), layer, Path("cay.csv"))


def test_two_readings_are_named() -> None:
    words = "cay.csv: dates of column 'ngay' .* '03/04/2021' may be 03 April 2021 .dmy. or 04 March 2021 .mdy."
    with pytest.raises(MappingError, match=words) as caught:
        check(["03/04/2021", None, "05/06/2021"])
    assert caught.value.hint == "say 'date_order: dmy' or 'date_order: mdy' at 'planted' in the mapping"


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        (["03/04/2021"], {"date_order": "dmy"}),
        (["03/04/2021"], {"date": ["%d/%m/%Y"]}),
        (["03/04/2021", "25/04/2021"], {}),
        (["2021-04-03", None], {}),
        ([None, None], {}),
        ([1.0, 2.0], {}),
        ([], {}),
    ],
)
def test_nothing_to_ask(values: list[Any], rule: dict[str, Any]) -> None:
    check(values, **rule)
