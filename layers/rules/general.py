"""Rules every inventory layer must keep: what the declaration allows, inside the city, drawn once."""

from layers.registry import VECTOR_LAYERS
from layers.rules.words import Rule
from layers.schema import Text, VectorLayer
from layers.store.rule_places import find_outside, find_same_shapes, find_short_lines
from layers.store.rule_values import find_future, find_undeclared

# Several readings, permits or shops may share one place; what is drawn by administrations and runs has its own order.
_MAY_COINCIDE = {
    *("addresses", "places", "discharge_permits", "sensors", "monitoring_stations", "water_meters", "parking_spaces"),
    *("lighting_circuits", "power_lines", "telecom_lines", "waste_routes", "waterway_links", "antennas", "stops"),
    "turn_restrictions",
}
_DRAWN_BY_OFFICES = {"provinces", "wards", "admin_changes", "population", "land_use", "zoning"}


def _check_declared(layer: VectorLayer) -> Rule:
    return Rule(
        "domain",
        layer.id,
        "error",
        Text("Giá trị đúng khai báo", "Values as declared"),
        Text("giá trị “{value}” không được phép", "the value '{value}' is not allowed"),
        find_undeclared(layer),
        Text("xem danh mục mã và khoảng giá trị của lớp", "see the layer's code list and range"),
        on_edit=False,
    )


def _check_shapes(layer: VectorLayer) -> Rule:
    return Rule(
        "same-shape",
        layer.id,
        "warning",
        Text("Không vẽ trùng", "Nothing is drawn twice"),
        Text("vẽ trùng khít với “{other}”", "is drawn exactly like '{other}'"),
        find_same_shapes(layer.id),
        Text("xóa một trong hai", "delete one of the two"),
    )


def _check_wards(layer: VectorLayer) -> Rule:
    return Rule(
        "outside-wards",
        layer.id,
        "warning",
        Text("Nằm trong địa giới", "Inside the city's wards"),
        Text("không nằm trong phường, xã nào", "lies in none of the wards"),
        find_outside("wards"),
        Text("kiểm tra hệ tọa độ và vị trí", "check the place and the coordinate system"),
    )


def _check_length(layer: VectorLayer) -> Rule:
    return Rule(
        "no-length",
        layer.id,
        "error",
        Text("Đường có chiều dài", "A line has a length"),
        Text("đường chỉ dài {value} m", "the line is only {value} m long"),
        find_short_lines(0.01),
    )


def _check_installed(layer: VectorLayer) -> Rule:
    return Rule(
        "installed-later",
        layer.id,
        "warning",
        Text("Ngày lắp đặt đã qua", "Installed by now"),
        Text("ngày lắp đặt {value} ở tương lai", "the date of installation, {value}, lies ahead"),
        find_future("installed"),
    )


_STORED = tuple(layer for layer in VECTOR_LAYERS.values() if not layer.of_runs)
RULES = (
    *(_check_declared(layer) for layer in _STORED),
    *(_check_shapes(layer) for layer in _STORED if layer.id not in _MAY_COINCIDE | _DRAWN_BY_OFFICES),
    *(_check_wards(layer) for layer in _STORED if layer.id not in _DRAWN_BY_OFFICES),
    *(_check_length(layer) for layer in _STORED if layer.geometry == "LineString"),
    *(_check_installed(layer) for layer in _STORED if layer.find("installed") is not None),
)
