"""Drainage: what runs of SWMM write. Water at nodes, flow in links, the return period that each bears."""

from layers.schema import Property, Style, Text, VectorLayer, code, coded, moment, number, text
from layers.types.runs import RUN

NODE_CLASSES = (
    code("free", "Chảy bình thường", "Free", "#86c5a0"),
    code("surcharged", "Có áp, chưa tràn", "Surcharged, not flooded", "#e8c33d"),
    code("flooded", "Tràn, dưới 50 m³", "Flooded, below 50 m³", "#e8853d"),
    code("flooded_much", "Tràn, từ 50 m³", "Flooded, 50 m³ or more", "#b3202e"),
)
"""Surcharged: the water stood above the crown of the highest pipe; flooded: it left over the rim."""

LINK_CLASSES = (
    code("little", "Dưới 50 %", "Below 50 %", "#86c5a0"),
    code("half", "50–80 %", "50–80 %", "#5fb2db"),
    code("nearly", "80–100 %", "80–100 %", "#e8c33d"),
    code("full", "Đầy", "Full", "#e8853d"),
    code("overloaded", "Đầy, quá lưu lượng thiết kế", "Full, above its full flow", "#b3202e"),
    code("device", "Bơm, van, đập tràn", "Pump, gate, weir", "#7a7a7a"),
)
"""By the greatest depth over the full one; overloaded: full, and more than flows in the full pipe on its own slope."""

PERIODS = (1, 2, 5, 10, 20, 50, 100)
"""Return periods that capacity is told for [years]."""

_PERIOD_COLORS = ("#5a0f1e", "#b3202e", "#e8603d", "#e8a33d", "#e8d33d", "#9ccf8a", "#4aa36b")

PERIOD_CLASSES = (
    *(
        code(f"p{years}", f"Trận {years} năm", f"1 in {years} years", color)
        for years, color in zip(PERIODS, _PERIOD_COLORS, strict=True)
    ),
    code("none", "Không trận nào", "None of them", "#2f86c1"),
    code("device", "Bơm, van, đập tràn", "Pump, gate, weir", "#7a7a7a"),
)

_CHANGE = (
    number("flooding_change", "Thay đổi lượng tràn", "Change of flooding volume", "volume_change"),
    number("head_change", "Thay đổi mực nước", "Change of the highest level", "depth_change"),
)


def _list_node_properties() -> tuple[Property, ...]:
    return (
        RUN,
        text("node_id", "Nút", "Node", required=True, in_tiles=True),
        text("node_type", "Loại nút", "Type"),
    )


def _list_link_properties() -> tuple[Property, ...]:
    return (
        RUN,
        text("link_id", "Tuyến", "Link", required=True, in_tiles=True),
        text("link_type", "Loại tuyến", "Type"),
    )


LAYERS = (
    VectorLayer(
        id="drainage_node_results",
        theme="drainage",
        title=Text("Mực nước, tràn ở hố ga (mô phỏng)", "Drainage nodes (run)"),
        description=Text(
            "Mực nước cao nhất, thời gian có áp, lượng tràn ở từng nút trong một lần mô phỏng.",
            "Highest water, time surcharged and volume flooded at every node in a run.",
        ),
        geometry="Point",
        properties=(
            *_list_node_properties(),
            coded("flooding_class", "Mức tràn", "Flooding", *NODE_CLASSES, required=True),
            number("max_depth", "Độ sâu lớn nhất", "Maximum depth", "depth", in_tiles=True),
            number("max_head", "Mực nước cao nhất", "Maximum hydraulic grade line", "stage", in_tiles=True),
            number("rim", "Cao độ mặt", "Rim elevation", "elevation"),
            number("invert", "Cao độ đáy", "Invert elevation", "elevation"),
            number("freeboard", "Còn dưới mặt đất", "Below the rim", "depth_change"),
            number("surcharge_time", "Thời gian có áp", "Time surcharged", "duration"),
            number("flooding_time", "Thời gian tràn", "Time flooded", "duration"),
            number("flooding_volume", "Lượng nước tràn", "Flooding volume", "volume", in_tiles=True),
            number("max_flooding", "Lưu lượng tràn lớn nhất", "Maximum flooding rate", "discharge"),
            number("max_inflow", "Lưu lượng vào lớn nhất", "Maximum inflow", "discharge"),
            moment("peak_time", "Lúc nước cao nhất", "Time of peak"),
            *_CHANGE,
        ),
        style=Style("#e8853d", by="flooding_class", radius=4.0, outline="#ffffff"),
        rank=155,
        min_zoom=12,
        visible=False,
    ),
    VectorLayer(
        id="drainage_link_results",
        theme="drainage",
        title=Text("Dòng chảy trong cống (mô phỏng)", "Drainage links (run)"),
        description=Text(
            "Lưu lượng, vận tốc lớn nhất, mức sử dụng năng lực của từng cống trong một lần mô phỏng.",
            "Peak flow, velocity and use of capacity of every link in a run.",
        ),
        geometry="LineString",
        properties=(
            *_list_link_properties(),
            coded("use_class", "Mức sử dụng", "Use", *LINK_CLASSES, required=True),
            number("max_flow", "Lưu lượng lớn nhất", "Peak flow", "discharge", in_tiles=True),
            number("full_flow", "Lưu lượng khi đầy", "Full flow", "discharge"),
            number("capacity_use", "Lưu lượng trên lưu lượng đầy", "Peak over full flow", "capacity_use"),
            number("max_velocity", "Vận tốc lớn nhất", "Peak velocity", "velocity"),
            number("fill", "Độ đầy lớn nhất", "Greatest fill", "ratio", in_tiles=True),
            number("full_time", "Thời gian đầy", "Time full", "duration", in_tiles=True),
            number("above_full_time", "Thời gian quá lưu lượng đầy", "Time above full flow", "duration"),
            moment("peak_time", "Lúc lưu lượng lớn nhất", "Time of peak"),
            number("flow_change", "Thay đổi lưu lượng lớn nhất", "Change of peak flow", "discharge"),
        ),
        style=Style("#5fb2db", by="use_class", width=3.0, icon="arrow"),
        rank=150,
        min_zoom=12,
        visible=False,
    ),
    VectorLayer(
        id="drainage_capacity",
        theme="drainage",
        title=Text("Năng lực cống theo chu kỳ mưa", "Capacity of drains by return period"),
        description=Text(
            "Trận mưa thiết kế nhỏ nhất làm đầy từng cống.", "The smallest design storm that fills each conduit."
        ),
        geometry="LineString",
        properties=(
            *_list_link_properties(),
            coded("fills_at", "Đầy ở trận", "Filled by", *PERIOD_CLASSES, required=True),
            number("return_period", "Chu kỳ lặp lại", "Return period", "return_period", in_tiles=True),
            number("length", "Chiều dài", "Length", "length"),
            number("full_flow", "Lưu lượng khi đầy", "Full flow", "discharge"),
            number("max_flow", "Lưu lượng ở trận lớn nhất", "Peak flow of the greatest storm", "discharge"),
            number("capacity_use", "Lưu lượng trên lưu lượng đầy", "Peak over full flow", "capacity_use"),
            number("full_time", "Thời gian đầy ở trận lớn nhất", "Time full in the greatest storm", "duration"),
        ),
        style=Style("#4aa36b", by="fills_at", width=3.0),
        rank=151,
        min_zoom=12,
        visible=False,
    ),
    VectorLayer(
        id="drainage_capacity_nodes",
        theme="drainage",
        title=Text("Hố ga tràn theo chu kỳ mưa", "Flooding of nodes by return period"),
        description=Text(
            "Trận mưa thiết kế nhỏ nhất làm tràn từng nút.", "The smallest design storm that floods each node."
        ),
        geometry="Point",
        properties=(
            *_list_node_properties(),
            coded("floods_at", "Tràn ở trận", "Flooded by", *PERIOD_CLASSES[:-1], required=True),
            number("return_period", "Chu kỳ lặp lại", "Return period", "return_period", in_tiles=True),
            number("flooding_volume", "Lượng tràn ở trận lớn nhất", "Volume in the greatest storm", "volume"),
            number("max_head", "Mực nước ở trận lớn nhất", "Highest level in the greatest storm", "stage"),
        ),
        style=Style("#4aa36b", by="floods_at", radius=4.0, outline="#ffffff"),
        rank=156,
        min_zoom=12,
        visible=False,
    ),
)
