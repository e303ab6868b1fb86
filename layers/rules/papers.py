"""Rules on addresses, permits and ward codes: what is written agrees with where it is, and is written once."""

from layers.registry import VECTOR_LAYERS
from layers.rules.words import Rule
from layers.schema import Text
from layers.store.rule_places import find_other_areas
from layers.store.rule_values import find_overdue, find_repeated

# What stands in a street on the border may be of either side.
_BORDER_M = 15.0


def _name_ward(layer: str) -> Rule:
    return Rule(
        "ward-agrees",
        layer,
        "warning",
        Text("Mã phường, xã đúng vị trí", "The ward code is that of the ward it lies in"),
        Text("ghi {value}, nằm trong {other}", "says {value}, lies in {other}"),
        find_other_areas("wards", "ward_code", slack=_BORDER_M),
    )


def _write_once(layer: str, name: str, title: Text) -> Rule:
    return Rule(
        "written-once",
        layer,
        "warning",
        title,
        Text("“{value}” cũng là của “{other}”", "'{value}' is that of '{other}' too"),
        find_repeated(layer, name),
    )


RULES = (
    *(
        _name_ward(layer.id)
        for layer in VECTOR_LAYERS.values()
        if layer.find("ward_code") and layer.id not in ("wards", "flood_assets")
    ),
    _write_once("addresses", "full_address", Text("Địa chỉ không trùng", "An address is given once")),
    _write_once(
        "discharge_permits", "permit_number", Text("Số giấy phép không trùng", "A permit number is given once")
    ),
    Rule(
        "permit-in-force",
        "discharge_permits",
        "warning",
        Text("Giấy phép ghi còn hiệu lực chưa quá hạn", "A permit said to be valid has not expired"),
        Text("ghi còn hiệu lực nhưng hết hạn ngày {value}", "is said to be valid but expired on {value}"),
        find_overdue("expires", state="status", value="valid"),
    ),
)
