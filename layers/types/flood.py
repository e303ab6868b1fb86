"""Flood: what runs write. Rasters of water and the assets it touches."""

from layers.schema import RasterLayer, Style, Text, VectorLayer, code, coded, integer, moment, number, text

DEPTH_RAMP = (
    (0.02, "#d3ecf5b0"),
    (0.1, "#a6d8ecd0"),
    (0.3, "#5fb2dbe0"),
    (0.5, "#2f86c1e8"),
    (1.0, "#1c569cf0"),
    (2.0, "#262c74f8"),
)
DEPTH_CLASSES = (
    code("wet", "Dưới 0,1 m", "Below 0.1 m", "#a6d8ec"),
    code("low", "0,1–0,3 m", "0.1–0.3 m", "#5fb2db"),
    code("medium", "0,3–0,5 m", "0.3–0.5 m", "#2f86c1"),
    code("high", "0,5–1,0 m", "0.5–1.0 m", "#1c569c"),
    code("extreme", "Trên 1,0 m", "Above 1.0 m", "#262c74"),
)

LAYERS = (
    RasterLayer(
        id="flood_depth",
        theme="flood",
        title=Text("Độ sâu ngập theo thời gian", "Flood depth in time"),
        description=Text(
            "Độ sâu nước trên mặt đất, mỗi bước thời gian một kênh.", "Water above ground, one band per time step."
        ),
        quantity="depth",
        ramp=DEPTH_RAMP,
        rank=100,
        series=True,
        visible=True,
    ),
    RasterLayer(
        id="flood_depth_max",
        theme="flood",
        title=Text("Độ sâu ngập lớn nhất", "Maximum flood depth"),
        description=Text("Độ sâu lớn nhất trong cả lần chạy.", "Largest depth over the run."),
        quantity="depth",
        ramp=DEPTH_RAMP,
        rank=101,
    ),
    RasterLayer(
        id="flood_velocity_max",
        theme="flood",
        title=Text("Vận tốc lớn nhất", "Maximum velocity"),
        description=Text("Vận tốc dòng chảy lớn nhất trong cả lần chạy.", "Largest flow speed over the run."),
        quantity="velocity",
        ramp=((0.05, "#fde9c8b0"), (0.25, "#f9c07ad0"), (0.5, "#ef8a4ae0"), (1.0, "#cf4a35f0"), (2.0, "#8a1b3cff")),
        rank=102,
    ),
    RasterLayer(
        id="flood_hazard_max",
        theme="flood",
        title=Text("Mức nguy hiểm (độ sâu × vận tốc)", "Hazard (depth × velocity)"),
        description=Text("Tích độ sâu và vận tốc lớn nhất.", "Largest product of depth and velocity."),
        quantity="hazard",
        ramp=((0.01, "#fff3b0b0"), (0.1, "#f6c445d0"), (0.3, "#ec8a3ae0"), (0.6, "#d64541f0"), (1.2, "#7d1d53ff")),
        rank=103,
    ),
    RasterLayer(
        id="flood_arrival",
        theme="flood",
        title=Text("Thời gian nước đến", "Arrival time"),
        description=Text("Thời gian từ lúc bắt đầu tới khi ngập 5 cm.", "Time from the start until 5 cm of water."),
        quantity="duration",
        ramp=(
            (0.0, "#7a0177f0"),
            (10800.0, "#c51b8ae0"),
            (21600.0, "#f768a1d0"),
            (43200.0, "#fbb4b9c0"),
            (172800.0, "#feebe2b0"),
        ),
        rank=104,
    ),
    VectorLayer(
        id="flood_assets",
        theme="flood",
        title=Text("Đối tượng bị ngập", "Affected assets"),
        description=Text(
            "Công trình, đường, đèn, tủ, bơm bị nước chạm tới trong một lần chạy.",
            "Buildings, roads, lights, cabinets and pumps touched by water in a run.",
        ),
        geometry="Point",
        properties=(
            text("run_id", "Lần chạy", "Run", required=True, in_tiles=True),
            text("asset_layer", "Lớp", "Layer", required=True, in_tiles=True),
            text("asset_id", "Đối tượng", "Asset", required=True, in_tiles=True),
            text("asset_name", "Tên", "Name"),
            coded("depth_class", "Mức ngập", "Depth class", *DEPTH_CLASSES, required=True),
            number("depth_max", "Độ sâu lớn nhất", "Maximum depth", "depth", in_tiles=True),
            moment("arrival", "Nước đến lúc", "First water"),
            number("length", "Chiều dài bị ngập", "Length under water", "length"),
            integer("people", "Số người", "People", "people"),
            text("ward_code", "Mã phường/xã", "Ward code"),
        ),
        style=Style("#2f86c1", by="depth_class", radius=3.0, outline="#ffffff"),
        rank=85,
        min_zoom=12,
        visible=False,
    ),
)
