"""Flood: what runs write. Rasters of water and the assets it touches."""

from layers.schema import RasterLayer, Style, Text, VectorLayer, code, coded, integer, moment, number, text
from layers.types.runs import RUN

DEPTH_RAMP = (
    (0.02, "#d3ecf5b0"),
    (0.1, "#a6d8ecd0"),
    (0.3, "#5fb2dbe0"),
    (0.5, "#2f86c1e8"),
    (1.0, "#1c569cf0"),
    (2.0, "#262c74f8"),
)
STAGE_RAMP = (
    (-2.0, "#00224ef0"),
    (0.0, "#00224ef0"),
    (0.5, "#1a386fef"),
    (1.0, "#434e6cef"),
    (1.5, "#666970ef"),
    (2.0, "#878479ef"),
    (2.5, "#a99f74ef"),
    (3.0, "#cdbc69ef"),
    (5.0, "#fee838f0"),
)
DURATION_RAMP = (
    (600.0, "#fcfdbfb0"),
    (3600.0, "#feca8dd0"),
    (10800.0, "#f1605dd8"),
    (21600.0, "#b63679e0"),
    (43200.0, "#721f81e8"),
    (86400.0, "#2c115ff0"),
)
PROBABILITY_RAMP = (
    (0.02, "#fde725a0"),
    (0.25, "#5ec962c0"),
    (0.5, "#21918cd8"),
    (0.75, "#3b528be8"),
    (0.95, "#440154f0"),
)
CHANGE_RAMP = (
    (-5.0, "#2d004bf0"),
    (-1.0, "#2d004bf0"),
    (-0.3, "#8073ace0"),
    (-0.05, "#d8daebb0"),
    (-0.02, "#f7f7f700"),
    (0.02, "#f7f7f700"),
    (0.05, "#fee0b6b0"),
    (0.3, "#e08214e0"),
    (1.0, "#7f3b08f0"),
)
"""Purple where the water is lower, orange where it is higher: PuOr of Brewer, read alike by colour-blind eyes."""

HAZARD_RAMP = (
    (1.0, "#fee8a8d0"),
    (2.0, "#fdbb63d8"),
    (3.0, "#f0803ce0"),
    (4.0, "#cf3d4ce8"),
    (5.0, "#8d1c6bf0"),
    (6.0, "#3a0a55f8"),
)
"""H1–H6, each darker than the one before."""

DEPTH_CLASSES = (
    code("wet", "Dưới 0,1 m", "Below 0.1 m", "#a6d8ec"),
    code("low", "0,1–0,3 m", "0.1–0.3 m", "#5fb2db"),
    code("medium", "0,3–0,5 m", "0.3–0.5 m", "#2f86c1"),
    code("high", "0,5–1,0 m", "0.5–1.0 m", "#1c569c"),
    code("extreme", "Trên 1,0 m", "Above 1.0 m", "#262c74"),
)

HAZARD_CLASSES = (
    code("H1", "H1: chưa gây nguy hiểm", "H1: generally safe", "#fee8a8"),
    code("H2", "H2: nguy hiểm cho xe nhỏ", "H2: unsafe for small vehicles", "#fdbb63"),
    code("H3", "H3: nguy hiểm cho mọi xe, trẻ em, người già", "H3: unsafe for vehicles, children, elderly", "#f0803c"),
    code("H4", "H4: nguy hiểm cho mọi người và xe", "H4: unsafe for all people and vehicles", "#cf3d4c"),
    code("H5", "H5: nhà có thể hư hại kết cấu", "H5: buildings may be damaged", "#8d1c6b"),
    code("H6", "H6: mọi loại nhà có thể sập", "H6: buildings may collapse", "#3a0a55"),
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
    RasterLayer(
        id="flood_stage_max",
        theme="flood",
        title=Text("Mực nước lớn nhất", "Maximum flood stage"),
        description=Text(
            "Cao độ mặt nước lớn nhất trên đất bị ngập, so với mốc cao độ của thành phố.",
            "Highest water level over flooded ground, above the city's height datum.",
        ),
        quantity="stage",
        ramp=STAGE_RAMP,
        rank=105,
    ),
    RasterLayer(
        id="flood_hazard_class",
        theme="flood",
        title=Text("Cấp nguy hiểm H1–H6", "Hazard class H1–H6"),
        description=Text(
            "Cấp theo độ sâu và vận tốc: 1 chưa nguy hiểm, 2 nguy hiểm cho xe nhỏ, 3 cho mọi xe, trẻ em, người già, "
            "4 cho mọi người, 5 nhà có thể hư hại, 6 nhà có thể sập (AIDR 7-3, 2017).",
            "Classes by depth and speed: 1 generally safe, 2 unsafe for small vehicles, 3 for vehicles, children and "
            "the elderly, 4 for all people, 5 buildings may be damaged, 6 buildings may collapse (AIDR 7-3, 2017).",
        ),
        quantity="count",
        ramp=HAZARD_RAMP,
        rank=106,
        stepped=True,
    ),
    *(
        RasterLayer(
            id=f"flood_duration_{threshold.replace('.', '')}",
            theme="flood",
            title=Text(f"Thời gian ngập từ {vi} m", f"Time under {threshold} m or more"),
            description=Text(
                f"Tổng thời gian nước sâu từ {vi} m trở lên, {vi_why}.",
                f"Time in all with {threshold} m of water or more, {why}.",
            ),
            quantity="duration",
            ramp=DURATION_RAMP,
            rank=rank,
        )
        for threshold, vi, vi_why, why, rank in (
            ("0.1", "0,1", "nước vào nhà sát mặt đường", "where it enters houses at street level", 107),
            ("0.3", "0,3", "ô tô không qua được", "where cars do not pass", 108),
            ("0.5", "0,5", "khó đi bộ, xe máy chết máy", "where walking is hard and motorbikes stall", 109),
        )
    ),
    *(
        RasterLayer(
            id=f"flood_probability_{threshold.replace('.', '')}",
            theme="flood",
            title=Text(f"Xác suất ngập từ {vi} m", f"Probability of {threshold} m or more"),
            description=Text(
                f"Tỷ lệ thành phần của dự báo tổ hợp có độ sâu lớn nhất từ {vi} m trở lên.",
                f"Share of the members of an ensemble whose maximum depth reaches {threshold} m.",
            ),
            quantity="ratio",
            ramp=PROBABILITY_RAMP,
            rank=rank,
        )
        for threshold, vi, rank in (("0.1", "0,1", 110), ("0.3", "0,3", 111), ("0.5", "0,5", 112))
    ),
    RasterLayer(
        id="flood_depth_change",
        theme="flood",
        title=Text("Thay đổi độ sâu ngập", "Change of flood depth"),
        description=Text(
            "Độ sâu lớn nhất của lần chạy sau trừ lần chạy trước: dương là ngập sâu hơn, âm là nông hơn.",
            "Maximum depth of one run less that of another: positive is deeper, negative shallower.",
        ),
        quantity="depth_change",
        ramp=CHANGE_RAMP,
        rank=113,
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
            RUN,
            text("asset_layer", "Lớp", "Layer", required=True, in_tiles=True),
            text("asset_id", "Đối tượng", "Asset", required=True, in_tiles=True),
            text("asset_name", "Tên", "Name"),
            text("category", "Loại, công dụng", "Category or use"),
            coded("depth_class", "Mức ngập", "Depth class", *DEPTH_CLASSES, required=True),
            number("depth_max", "Độ sâu lớn nhất", "Maximum depth", "depth", in_tiles=True),
            coded("hazard_class", "Cấp nguy hiểm", "Hazard class", *HAZARD_CLASSES),
            moment("arrival", "Nước đến lúc", "First water"),
            number("duration", "Thời gian ngập từ 0,3 m", "Time under 0.3 m or more", "duration"),
            number("length", "Chiều dài bị ngập", "Length under water", "length"),
            integer("people", "Số người", "People", "people"),
            number("damage_factor", "Tỷ lệ thiệt hại", "Share of value lost", "ratio"),
            number("damage", "Thiệt hại", "Damage", "money"),
            text("ward_code", "Mã phường/xã", "Ward code"),
        ),
        style=Style("#2f86c1", by="depth_class", radius=3.0, outline="#ffffff"),
        rank=85,
        min_zoom=12,
        visible=False,
    ),
)
