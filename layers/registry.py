"""All layers by id, and the themes in the order of the layer tree."""

from layers.errors import NotFoundError
from layers.schema import Layer, RasterLayer, Text, Theme, VectorLayer
from layers.types import admin, buildings, drainage, flood, land, lighting, places, sensors, transport, trees

THEMES = (
    Theme("flood", Text("Ngập lụt", "Flood")),
    Theme("sensors", Text("Quan trắc", "Sensors")),
    Theme("drainage", Text("Thoát nước, sông rạch", "Drainage and water")),
    Theme("transport", Text("Giao thông", "Transport")),
    Theme("buildings", Text("Công trình", "Buildings")),
    Theme("lighting", Text("Chiếu sáng", "Lighting")),
    Theme("trees", Text("Cây xanh", "Trees and green")),
    Theme("places", Text("Địa điểm", "Places")),
    Theme("land", Text("Đất đai", "Land")),
    Theme("admin", Text("Hành chính, dân cư", "Administration and people")),
)

LAYERS: dict[str, Layer] = {
    layer.id: layer
    for module in (land, buildings, drainage, lighting, trees, transport, sensors, places, admin, flood)
    for layer in module.LAYERS
}
VECTOR_LAYERS: dict[str, VectorLayer] = {key: layer for key, layer in LAYERS.items() if isinstance(layer, VectorLayer)}
RASTER_LAYERS: dict[str, RasterLayer] = {key: layer for key, layer in LAYERS.items() if isinstance(layer, RasterLayer)}


def read_vector_layer(layer_id: str) -> VectorLayer:
    """Return the declared vector layer ``layer_id``; NotFoundError names the ones there are."""
    if layer_id not in VECTOR_LAYERS:
        raise NotFoundError(f"layer '{layer_id}' is not declared", hint=f"one of {', '.join(VECTOR_LAYERS)}")
    return VECTOR_LAYERS[layer_id]


def read_raster_layer(layer_id: str) -> RasterLayer:
    """Return the declared raster layer ``layer_id``; NotFoundError names the ones there are."""
    if layer_id not in RASTER_LAYERS:
        raise NotFoundError(f"raster layer '{layer_id}' is not declared", hint=f"one of {', '.join(RASTER_LAYERS)}")
    return RASTER_LAYERS[layer_id]
