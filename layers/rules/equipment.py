"""Rules on equipment: valves as they should stand, live parts above the ground, no more in use than there is."""

from layers.rules.words import Rule
from layers.schema import Text
from layers.store.rule_places import find_sunken
from layers.store.rule_values import find_above, find_unequal, find_value

# What the building beside says of the ground is good to a few decimetres.
_AROUND_M, _SLACK_M = 60.0, 0.3


def _stand_above_ground(layer: str) -> Rule:
    return Rule(
        "base-above-ground",
        layer,
        "warning",
        Text("Bệ thiết bị cao hơn mặt đất", "Equipment stands above the ground"),
        Text(
            "cao độ bệ {value} m thấp hơn mặt đất quanh đó, {other} m",
            "the base, {value} m, is below the ground around it, {other} m",
        ),
        find_sunken("base_elevation", "buildings", "ground_elevation", within=_AROUND_M, slack=_SLACK_M),
        Text("sai cao độ, hay thiết bị dễ ngập?", "is the level wrong, or will it be flooded?"),
    )


def _fit(layer: str, used: str, capacity: str) -> Rule:
    return Rule(
        "over-capacity",
        layer,
        "error",
        Text("Không dùng quá số hiện có", "No more is in use than there is"),
        Text("{value} lớn hơn {other}", "{value} is more than {other}"),
        find_above(used, capacity, or_equal=False),
    )


RULES = (
    Rule(
        "valve-stuck",
        "water_valves",
        "warning",
        Text("Van vận hành được", "A valve can be operated"),
        Text("van bị kẹt", "the valve is stuck"),
        find_value("status", "stuck"),
        Text("lập phiếu sửa chữa", "open a work order"),
    ),
    Rule(
        "valve-position",
        "water_valves",
        "warning",
        Text("Van ở trạng thái bình thường", "A valve stands as it normally does"),
        Text("đang “{value}”, bình thường “{other}”", "is '{value}', normally '{other}'"),
        find_unequal("status", "normal_status", among=("open", "closed")),
        Text("mở hoặc đóng lại van, hoặc sửa trạng thái bình thường", "put it back, or correct its normal state"),
    ),
    *(
        _stand_above_ground(layer)
        for layer in ("transformers", "substations", "lighting_cabinets", "telecom_cabinets", "water_pumps")
    ),
    _fit("telecom_cabinets", "used_ports", "ports"),
    _fit("parking_areas", "free", "capacity"),
    _fit("water_nodes", "min_level", "max_level"),
)
