"""Rules on what features name of each other: no light without a circuit, no meter on a pipe that is not there."""

from typing import NamedTuple

from layers.registry import VECTOR_LAYERS
from layers.rules.words import Reach, Rule, Severity
from layers.schema import Text
from layers.store.rule_values import find_empty, find_unnamed


class _Reference(NamedTuple):
    """``name`` of ``layer`` is the ``key`` of a feature of ``target``."""

    layer: str
    name: str
    target: str
    key: str = "id"
    severity: Severity = "error"


_REFERENCES = (
    _Reference("luminaires", "circuit_id", "lighting_circuits", "circuit_id"),
    _Reference("luminaires", "cabinet_id", "lighting_cabinets"),
    _Reference("luminaires", "pole_id", "poles", severity="warning"),
    _Reference("lighting_circuits", "cabinet_id", "lighting_cabinets"),
    _Reference("catchments", "outlet_node", "drainage_nodes"),
    _Reference("water_pumps", "from_node", "water_nodes"),
    _Reference("water_pumps", "to_node", "water_nodes"),
    _Reference("water_valves", "pipe_id", "water_pipes"),
    _Reference("water_valves", "near_node", "water_nodes", severity="warning"),
    _Reference("water_valves", "from_node", "water_nodes"),
    _Reference("water_valves", "to_node", "water_nodes"),
    _Reference("water_meters", "node_id", "water_nodes", severity="warning"),
    _Reference("water_meters", "pipe_id", "water_pipes"),
    _Reference("water_meters", "building_id", "buildings", severity="warning"),
    _Reference("hydrants", "node_id", "water_nodes", severity="warning"),
    _Reference("hydrants", "pipe_id", "water_pipes"),
    _Reference("water_pipes", "dma_id", "dmas", severity="warning"),
    _Reference("power_lines", "substation_id", "substations", severity="warning"),
    _Reference("transformers", "substation_id", "substations"),
    _Reference("transformers", "pole_id", "poles", severity="warning"),
    _Reference("waste_bins", "collection_point_id", "waste_points", severity="warning"),
    _Reference("waste_routes", "facility_id", "waste_facilities", severity="warning"),
    _Reference("parking_spaces", "parking_id", "parking_areas"),
    _Reference("parking_access", "parking_id", "parking_areas"),
    _Reference("addresses", "building_id", "buildings", severity="warning"),
    _Reference("road_links", "from_node", "road_nodes", severity="warning"),
    _Reference("road_links", "to_node", "road_nodes", severity="warning"),
)


def _declare(one: _Reference) -> Rule:
    layer, target = VECTOR_LAYERS[one.layer], VECTOR_LAYERS[one.target]
    prop = layer.find(one.name)
    assert prop is not None
    assert one.key == "id" or target.find(one.key) is not None
    return Rule(
        f"{one.name.replace('_', '-')}-exists",
        one.layer,
        one.severity,
        Text(f"{prop.title.vi} được nêu có thật", f"{prop.title.en}: what is named exists"),
        Text(
            f"“{{value}}” không có trong lớp {target.title.vi.lower()}",
            f"'{{value}}' is not among {target.title.en.lower()}",
        ),
        find_unnamed(one.name, one.target, one.key),
        Text("sửa mã, hoặc tạo đối tượng được nêu trước", "correct it, or create what it names first"),
        (Reach(one.target, by=((one.name, one.key),)),),
    )


RULES = (
    *(_declare(one) for one in _REFERENCES),
    Rule(
        "light-on-circuit",
        "luminaires",
        "error",
        Text("Đèn thuộc một mạch hoặc một tủ", "A light hangs on a circuit or a cabinet"),
        Text("đèn không có mạch lẫn tủ điều khiển", "the light has neither circuit nor cabinet"),
        find_empty(("circuit_id", "cabinet_id")),
        Text("điền mã mạch hoặc mã tủ", "fill in its circuit or its cabinet"),
    ),
)
