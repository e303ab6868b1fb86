"""Leaks: what the search for them writes. Alarms with time, size and place, and the pipes to walk."""

from layers.schema import Style, Text, VectorLayer, code, coded, integer, moment, number, text
from layers.types.runs import RUN

LEAK_KINDS = (
    code("abrupt", "Đột ngột", "Abrupt", "#c8372d"),
    code("incipient", "Lớn dần", "Incipient", "#e8853d"),
)
LEAK_STATES = (
    code("running", "Đang rò", "Running", "#c8372d"),
    code("ended", "Đã hết", "Over", "#8f8f8f"),
)

LAYERS = (
    VectorLayer(
        id="leak_alarms",
        theme="water_supply",
        title=Text("Báo động rò rỉ", "Leak alarms"),
        description=Text(
            "Chỗ rò rỉ phát hiện từ áp lực, lưu lượng đo và mô hình; vị trí là ống có nhiều khả năng nhất.",
            "Leaks found from measured pressures and flows beside the model; each at the pipe it is most likely near.",
        ),
        geometry="Point",
        properties=(
            RUN,
            coded("leak_kind", "Kiểu rò", "Kind", *LEAK_KINDS, required=True),
            coded("state", "Tình trạng", "State", *LEAK_STATES, required=True),
            moment("onset", "Bắt đầu khoảng", "Began about"),
            moment("raised", "Báo động lúc", "Raised"),
            moment("ended", "Hết lúc", "Over since"),
            number("size", "Lưu lượng rò", "Size", "discharge", in_tiles=True),
            text("pipe_id", "Ống có khả năng nhất", "Most likely pipe", in_tiles=True),
            number("probability", "Xác suất trong 300 m", "Probability within 300 m", "ratio", in_tiles=True),
            integer("walk_count", "Số ống phải đi dò", "Pipes to walk"),
            number("walk_length", "Chiều dài phải đi dò", "Length to walk", "length"),
        ),
        style=Style("#c8372d", by="leak_kind", radius=6.0, outline="#ffffff", icon="drop"),
        rank=147,
        min_zoom=10,
    ),
    VectorLayer(
        id="leak_pipes",
        theme="water_supply",
        title=Text("Ống cần dò rò rỉ", "Pipes to walk"),
        description=Text(
            "Các ống phải đi dò cho từng báo động, theo thứ tự đi.",
            "The pipes to walk for each alarm, in the order of the walk.",
        ),
        geometry="LineString",
        properties=(
            RUN,
            text("alarm_id", "Báo động", "Alarm", required=True, in_tiles=True),
            text("pipe_id", "Ống", "Pipe", required=True, in_tiles=True),
            integer("walk_order", "Thứ tự đi", "Order of the walk"),
            integer("likelihood_rank", "Hạng khả năng", "Rank by likelihood"),
            number("probability", "Xác suất", "Probability", "ratio", in_tiles=True),
            number("distance", "Cách vị trí báo", "Distance from the alarm", "length"),
            number("length", "Chiều dài", "Length", "length"),
        ),
        style=Style("#e8853d", width=4.0),
        rank=146,
        min_zoom=12,
    ),
)
