"""Networks: what runs of traces and isolations write."""

from layers.schema import Style, Text, VectorLayer, code, coded, integer, number, text
from layers.types.runs import RUN

COMMODITY = text("commodity", "Mạng", "Network", in_tiles=True)
OF_LAYER = text("layer_id", "Lớp", "Layer", in_tiles=True)
OF_ITEM = text("item_id", "Đối tượng", "Item", in_tiles=True)

LAYERS = (
    VectorLayer(
        id="trace_links",
        theme="networks",
        title=Text("Tuyến truy vết được", "Traced links"),
        description=Text(
            "Đoạn ống, cống, cáp mà một lần truy vết đi qua.", "Parts of pipes, sewers and cables that a trace passed."
        ),
        geometry="LineString",
        properties=(
            RUN,
            COMMODITY,
            text("kind", "Kiểu truy vết", "Kind of trace", in_tiles=True),
            OF_LAYER,
            OF_ITEM,
            integer("part", "Đoạn", "Part"),
            integer("position", "Thứ tự", "Place in the order of the trace"),
            number("length", "Chiều dài", "Length", "length"),
        ),
        style=Style("#d6006c", width=4.0),
        rank=92,
        min_zoom=8,
        visible=False,
    ),
    VectorLayer(
        id="trace_nodes",
        theme="networks",
        title=Text("Nút truy vết được", "Traced nodes"),
        description=Text(
            "Nút, van, thiết bị mà một lần truy vết đi qua hoặc dừng lại.",
            "Nodes, valves and devices that a trace passed or stopped at.",
        ),
        geometry="Point",
        properties=(
            RUN,
            COMMODITY,
            text("kind", "Kiểu truy vết", "Kind of trace", in_tiles=True),
            coded(
                "role",
                "Vai trò",
                "Role",
                code("start", "Điểm đầu", "Start", "#0b7a3b"),
                code("end", "Điểm cuối", "End", "#7a3b0b"),
                code("barrier", "Điểm dừng", "Barrier", "#222222"),
                code("source", "Nguồn", "Source", "#0a3d62"),
                code("sink", "Điểm xả, điểm nhận", "Sink", "#b3452f"),
                code("passed", "Đi qua", "Passed", "#d6006c"),
            ),
            OF_LAYER,
            OF_ITEM,
            integer("position", "Thứ tự", "Place in the order of the trace"),
        ),
        style=Style("#d6006c", by="role", radius=3.5, outline="#ffffff"),
        rank=94,
        min_zoom=13,
        visible=False,
    ),
    VectorLayer(
        id="isolation_outage",
        theme="networks",
        title=Text("Đường ống mất nước khi cô lập", "Links without water in an isolation"),
        description=Text(
            "Đoạn ống bị cô lập và đoạn chỉ được cấp qua đoạn đó.",
            "Parts of pipes that an isolation closes off, and those that are fed only through them.",
        ),
        geometry="LineString",
        properties=(
            RUN,
            COMMODITY,
            coded(
                "role",
                "Vì sao",
                "Why",
                code("isolated", "Bị cô lập", "Isolated", "#c0392b"),
                code("behind", "Mất nguồn cấp", "Fed only through what is isolated", "#e08a3c"),
                required=True,
            ),
            OF_LAYER,
            OF_ITEM,
            integer("part", "Đoạn", "Part"),
            number("length", "Chiều dài", "Length", "length"),
        ),
        style=Style("#c0392b", by="role", width=4.0),
        rank=91,
        min_zoom=8,
        visible=False,
    ),
    VectorLayer(
        id="isolation_valves",
        theme="networks",
        title=Text("Van của một lần cô lập", "Valves of an isolation"),
        description=Text(
            "Van phải đóng theo thứ tự, van đang đóng, van kẹt và van cấp nước thay thế.",
            "Valves to close in order, those that are closed, stuck, or would feed what is behind.",
        ),
        geometry="Point",
        properties=(
            RUN,
            COMMODITY,
            coded(
                "role",
                "Việc cần làm",
                "What to do",
                code("close", "Đóng", "Close", "#c0392b"),
                code("close_idle", "Đóng nếu mở nguồn thay thế", "Close if another feed is opened", "#e0a13c"),
                code("already_closed", "Đang đóng, giữ nguyên", "Closed already, leave", "#4a4a55"),
                code("stuck", "Kẹt hoặc không tìm thấy, bỏ qua", "Stuck or buried, passed over", "#8a6fa8"),
                code("feed", "Mở để cấp thay thế", "Open to feed what is behind", "#1f8a5b"),
                code("source", "Nguồn trong vùng, phải ngừng", "Source inside, to be shut", "#0a3d62"),
                required=True,
            ),
            integer("position", "Thứ tự", "Order"),
            OF_LAYER,
            OF_ITEM,
            number("diameter", "Đường kính", "Diameter", "diameter"),
            integer("turns", "Số vòng đóng", "Turns to close"),
            text("street", "Đường", "Street"),
        ),
        style=Style("#c0392b", by="role", radius=6.0, outline="#ffffff", label="position", icon="valve"),
        rank=95,
        min_zoom=12,
        visible=False,
    ),
)
