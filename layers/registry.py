"""All layers by id, and the themes in the order of the layer tree."""

from difflib import get_close_matches

from layers.errors import NotFoundError
from layers.schema import Layer, RasterLayer, Text, Theme, VectorLayer
from layers.types import (
    addresses,
    admin,
    buildings,
    circuit_runs,
    drainage,
    drainage_runs,
    environment,
    fire,
    flood,
    flood_access,
    land,
    leaks,
    lighting,
    network_checks,
    parking,
    places,
    planning,
    power,
    road_criticality,
    road_works,
    routing_runs,
    sensors,
    telecom,
    traces,
    traffic_runs,
    traffic_state,
    traffic_zones,
    transit,
    transit_runs,
    transport,
    transport_modes,
    trees,
    waste,
    water_runs,
    water_supply,
)

THEMES = (
    Theme("flood", Text("Ngập lụt", "Flood")),
    Theme("sensors", Text("Quan trắc", "Sensors")),
    Theme("drainage", Text("Thoát nước, sông rạch", "Drainage and water")),
    Theme("water_supply", Text("Cấp nước", "Water supply")),
    Theme("power", Text("Điện", "Power")),
    Theme("lighting", Text("Chiếu sáng", "Lighting")),
    Theme("networks", Text("Truy vết, kiểm tra mạng", "Traces and checks of networks")),
    Theme("telecom", Text("Viễn thông", "Telecom")),
    Theme("transport", Text("Giao thông", "Transport")),
    Theme("parking", Text("Bãi đỗ xe", "Parking")),
    Theme("waste", Text("Chất thải rắn", "Solid waste")),
    Theme("environment", Text("Môi trường", "Environment")),
    Theme("trees", Text("Cây xanh", "Trees and green")),
    Theme("fire", Text("Phòng cháy chữa cháy", "Fire protection")),
    Theme("buildings", Text("Công trình", "Buildings")),
    Theme("addresses", Text("Địa chỉ", "Addresses")),
    Theme("places", Text("Địa điểm", "Places")),
    Theme("planning", Text("Quy hoạch, dự án", "Planning and projects")),
    Theme("land", Text("Đất đai", "Land")),
    Theme("admin", Text("Hành chính, dân cư", "Administration and people")),
)

_MODULES = (
    land,
    planning,
    buildings,
    drainage,
    water_supply,
    water_runs,
    leaks,
    power,
    lighting,
    telecom,
    waste,
    parking,
    environment,
    trees,
    fire,
    transport,
    transit,
    transport_modes,
    road_works,
    traffic_state,
    traffic_zones,
    sensors,
    places,
    addresses,
    admin,
    drainage_runs,
    flood,
    flood_access,
    road_criticality,
    traces,
    network_checks,
    circuit_runs,
    transit_runs,
    routing_runs,
    traffic_runs,
)

LAYERS: dict[str, Layer] = {layer.id: layer for module in _MODULES for layer in module.LAYERS}
VECTOR_LAYERS: dict[str, VectorLayer] = {key: layer for key, layer in LAYERS.items() if isinstance(layer, VectorLayer)}
RASTER_LAYERS: dict[str, RasterLayer] = {key: layer for key, layer in LAYERS.items() if isinstance(layer, RasterLayer)}


def read_vector_layer(layer_id: str) -> VectorLayer:
    """Return the declared vector layer ``layer_id``; NotFoundError names those that are alike."""
    if layer_id not in VECTOR_LAYERS:
        near = get_close_matches(layer_id, VECTOR_LAYERS, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}? twin layers lists all" if near else "twin layers lists them"
        raise NotFoundError(f"layer '{layer_id[:80]}' is not declared", hint=hint)
    return VECTOR_LAYERS[layer_id]


def read_raster_layer(layer_id: str) -> RasterLayer:
    """Return the declared raster layer ``layer_id``; NotFoundError names the ones there are."""
    if layer_id not in RASTER_LAYERS:
        raise NotFoundError(f"raster layer '{layer_id}' is not declared", hint=f"one of {', '.join(RASTER_LAYERS)}")
    return RASTER_LAYERS[layer_id]
