"""Checks of networks: what runs write about faults of topology, levels and diameters."""

from layers.schema import Style, Text, VectorLayer, code, coded, integer, number, text
from layers.types.runs import RUN

SEVERITIES = (
    code("error", "Lỗi", "Error", "#c0392b"),
    code("warning", "Cảnh báo", "Warning", "#e0902f"),
)
KINDS = (
    code("dangling_end", "Đầu tuyến hở", "Dangling end", "#c0392b"),
    code("near_miss", "Đầu tuyến suýt nối", "Near miss", "#8e1b3a"),
    code("crossing_without_node", "Giao cắt không có nút", "Crossing without node", "#e0902f"),
    code("loop", "Mạch vòng", "Loop", "#7a57a6"),
    code("disconnected_part", "Phần rời", "Disconnected part", "#1c569c"),
    code("duplicate", "Trùng nhau", "Duplicate", "#8a6d3b"),
    code("zero_length", "Chiều dài bằng không", "Zero length", "#6b6b6b"),
    code("adverse_slope", "Dốc ngược", "Adverse slope", "#b3452f"),
    code("missing_invert", "Thiếu cao độ đáy", "Missing invert", "#9a9a9a"),
    code("invert_above_ground", "Đáy cao hơn mặt đất", "Invert above ground", "#a8326b"),
    code("big_into_small", "Lớn chảy vào nhỏ", "Big into small", "#3f8fc0"),
    code("unconnected_point", "Thiết bị không nối với tuyến nào", "Point on no line", "#d35400"),
    code("unknown_node", "Tên nút không tồn tại", "Unknown node named", "#64748b"),
    code("end_disagrees", "Nút ghi khác hình vẽ", "Node named is elsewhere", "#2f6f8f"),
    code("one_way_pocket", "Khu không có lối ra hoặc lối vào", "Pocket without a way out or in", "#a3195b"),
    code("level_conflict", "Khác tầng mà chung đỉnh", "Levels that share a vertex", "#5c6bc0"),
    code("unheeded_sign", "Biển cấm rẽ không dùng được", "Turn sign that cannot be heeded", "#8d6e63"),
    code("ends_swapped", "Nút đầu, nút cuối ghi ngược", "Ends named the other way round", "#4c8c4a"),
)

LAYERS = (
    VectorLayer(
        id="network_findings",
        theme="networks",
        title=Text("Lỗi của mạng lưới", "Faults of networks"),
        description=Text(
            "Kết quả kiểm tra mạng: loại lỗi, vị trí, đối tượng và cách sửa.",
            "What a check of a network found: kind of fault, place, features and how it is mended.",
        ),
        geometry="Point",
        properties=(
            RUN,
            text("commodity", "Mạng", "Network", in_tiles=True),
            coded("kind", "Loại lỗi", "Kind", *KINDS, required=True),
            coded("severity", "Mức", "Severity", *SEVERITIES, required=True),
            text("layer_id", "Lớp", "Layer", in_tiles=True),
            text("item_id", "Đối tượng", "Item", in_tiles=True),
            text("other_items", "Đối tượng liên quan", "Other items"),
            integer("items", "Số đối tượng", "Items"),
            number("measure", "Độ lớn", "Measure", "length"),
            text("fix_vi", "Cách sửa", "Fix (Vietnamese)"),
            text("fix_en", "Cách sửa (tiếng Anh)", "Fix (English)"),
        ),
        style=Style("#c0392b", by="kind", radius=5.0, outline="#ffffff"),
        rank=119,
        min_zoom=10,
        visible=False,
    ),
)
