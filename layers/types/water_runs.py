"""Water supply: what runs write. Pressures, flows, ages, fire flow, water balances of areas."""

from layers.schema import Style, Text, VectorLayer, code, coded, flag, integer, number, text
from layers.types.runs import RUN

DMA = text("dma_id", "Vùng cấp nước (DMA)", "District metered area", in_tiles=True)

PRESSURE_CLASSES = (
    code("none", "Mất nước", "No water", "#3a0a55"),
    code("low", "Dưới 10 m", "Below 10 m", "#c8372d"),
    code("weak", "10–15 m", "10–15 m", "#e8a33d"),
    code("fair", "15–25 m", "15–25 m", "#86c5a0"),
    code("good", "25–50 m", "25–50 m", "#2f86c1"),
    code("high", "Trên 50 m", "Above 50 m", "#262c74"),
)
"""By the least pressure of the run; 10 m is what QCVN 07-1:2016/BXD asks of a network at least."""

FLOW_CLASSES = (
    code("closed", "Đóng, không có nước", "Closed, no flow", "#7a7a7a"),
    code("still", "Dưới 0,05 m/s", "Below 0.05 m/s", "#c9dcea"),
    code("slow", "0,05–0,3 m/s", "0.05–0.3 m/s", "#7cb6e0"),
    code("usual", "0,3–1,0 m/s", "0.3–1.0 m/s", "#2f86c9"),
    code("fast", "1,0–2,0 m/s", "1.0–2.0 m/s", "#e8a33d"),
    code("extreme", "Trên 2,0 m/s", "Above 2.0 m/s", "#c8372d"),
)
"""By the largest velocity of the run."""

FIRE_CLASSES = (
    code("AA", "AA: từ 95 l/s", "AA: 95 l/s or more", "#1f6fb2"),
    code("A", "A: 63–95 l/s", "A: 63–95 l/s", "#1f8a5b"),
    code("B", "B: 32–63 l/s", "B: 32–63 l/s", "#e8a33d"),
    code("C", "C: dưới 32 l/s", "C: below 32 l/s", "#c8372d"),
)
"""Classes and colours of NFPA 291 by the flow that a hydrant can give."""

ILI_BANDS = (
    code("A1", "A1: rất tốt", "A1: excellent", "#1f8a5b80"),
    code("A2", "A2: tốt", "A2: good", "#6fb57380"),
    code("B", "B: nên cải thiện", "B: to be improved", "#e8c33d80"),
    code("C", "C: kém", "C: poor", "#e8853d80"),
    code("D", "D: rất kém", "D: very poor", "#c8372d80"),
    code("unknown", "Không tính được", "Not known", "#9a9a9a80"),
)
"""Bands of the infrastructure leakage index of the World Bank Institute, A parted as in the EU's reference document."""

LAYERS = (
    VectorLayer(
        id="water_pressures",
        theme="water_supply",
        title=Text("Áp lực nước (mô phỏng)", "Water pressures (run)"),
        description=Text(
            "Áp lực ở từng nút của mạng cấp nước trong một lần mô phỏng.",
            "Pressure at every node of the water network in a run.",
        ),
        geometry="Point",
        properties=(
            RUN,
            text("node_id", "Nút", "Node", required=True, in_tiles=True),
            text("node_type", "Loại nút", "Type"),
            coded("pressure_class", "Mức áp lực", "Pressure class", *PRESSURE_CLASSES),
            number("pressure_min", "Áp lực thấp nhất", "Least pressure", "head", in_tiles=True),
            number("pressure_mean", "Áp lực trung bình", "Mean pressure", "head"),
            number("pressure_max", "Áp lực cao nhất", "Largest pressure", "head"),
            number("head_mean", "Cột nước toàn phần trung bình", "Mean head", "head"),
            number("demand", "Lượng nước cấp", "Water delivered", "daily_volume"),
            number("deficit", "Lượng nước thiếu", "Water lacking", "daily_volume"),
            DMA,
        ),
        style=Style("#2f86c1", by="pressure_class", radius=3.0, outline="#ffffff"),
        rank=143,
        min_zoom=12,
        visible=False,
    ),
    VectorLayer(
        id="water_flows",
        theme="water_supply",
        title=Text("Dòng chảy trong ống (mô phỏng)", "Water flows (run)"),
        description=Text(
            "Lưu lượng, vận tốc, tổn thất của từng ống, van, bơm trong một lần mô phỏng.",
            "Flow, velocity and head loss of every pipe, valve and pump in a run.",
        ),
        geometry="LineString",
        properties=(
            RUN,
            text("link_id", "Ống, van, bơm", "Pipe, valve or pump", required=True, in_tiles=True),
            text("link_layer", "Lớp", "Layer", required=True),
            coded("flow_class", "Mức vận tốc", "Velocity class", *FLOW_CLASSES, required=True),
            number("flow_mean", "Lưu lượng trung bình, theo chiều vẽ", "Mean flow, as drawn", "discharge"),
            number("flow_max", "Lưu lượng lớn nhất", "Largest flow", "discharge", in_tiles=True),
            number("velocity_mean", "Vận tốc trung bình", "Mean velocity", "velocity"),
            number("velocity_max", "Vận tốc lớn nhất", "Largest velocity", "velocity", in_tiles=True),
            number("head_loss_max", "Tổn thất cột nước lớn nhất", "Largest head loss", "head"),
            number("head_loss_slope", "Tổn thất trên mét dài", "Head loss per length", "slope"),
            number("open_share", "Tỷ lệ thời gian mở", "Share of time open", "ratio"),
            flag("reverses", "Đổi chiều", "Flow reverses"),
            number("energy", "Điện năng bơm", "Pump energy", "energy"),
            DMA,
        ),
        style=Style("#2f86c9", by="flow_class", width=2.2),
        rank=141,
        min_zoom=12,
        visible=False,
    ),
    VectorLayer(
        id="water_qualities",
        theme="water_supply",
        title=Text("Tuổi nước, nguồn nước, clo (mô phỏng)", "Water age, source and chlorine (run)"),
        description=Text(
            "Tuổi nước, tỷ lệ nước từ một nguồn, clo dư ở từng nút trong ngày cuối của lần mô phỏng.",
            "Age of the water, share from a source, chlorine at every node on the last day of a run.",
        ),
        geometry="Point",
        properties=(
            RUN,
            text("node_id", "Nút", "Node", required=True, in_tiles=True),
            coded(
                "age_class",
                "Mức tuổi nước",
                "Age class",
                code("fresh", "Dưới 6 giờ", "Below 6 h", "#2f86c1"),
                code("young", "6–24 giờ", "6–24 h", "#86c5a0"),
                code("old", "1–3 ngày", "1–3 days", "#e8a33d"),
                code("stale", "Trên 3 ngày", "More than 3 days", "#c8372d"),
                required=True,
            ),
            number("age_mean", "Tuổi nước trung bình", "Mean age", "duration", in_tiles=True),
            number("age_max", "Tuổi nước lớn nhất", "Largest age", "duration"),
            number(
                "source_share", "Tỷ lệ nước từ nguồn đã chọn", "Share from the chosen source", "ratio", in_tiles=True
            ),
            number("chlorine_mean", "Clo dư trung bình", "Mean chlorine", "concentration"),
            number("chlorine_min", "Clo dư thấp nhất", "Least chlorine", "concentration", in_tiles=True),
            DMA,
        ),
        style=Style("#86c5a0", by="age_class", radius=3.0, outline="#ffffff"),
        rank=144,
        min_zoom=12,
        visible=False,
    ),
    VectorLayer(
        id="hydrant_flows",
        theme="water_supply",
        title=Text("Khả năng cấp nước chữa cháy (mô phỏng)", "Fire flow of hydrants (run)"),
        description=Text(
            "Áp lực còn lại khi lấy lưu lượng yêu cầu và lưu lượng lấy được ở áp lực tối thiểu của từng trụ.",
            "Pressure left at the flow asked for and flow available at the least pressure, of every hydrant.",
        ),
        geometry="Point",
        properties=(
            RUN,
            text("hydrant_id", "Trụ nước", "Hydrant", required=True, in_tiles=True),
            text("node_id", "Nút cấp nước", "Network node"),
            coded("fire_class", "Cấp trụ (NFPA 291)", "Class (NFPA 291)", *FIRE_CLASSES, required=True),
            flag("is_sufficient", "Đủ lưu lượng, áp lực", "Gives what is asked"),
            number("static_pressure", "Áp lực tĩnh", "Static pressure", "head"),
            number("required_flow", "Lưu lượng yêu cầu", "Flow asked for", "discharge"),
            number("residual_pressure", "Áp lực còn lại", "Residual pressure", "head", in_tiles=True),
            number("available_flow", "Lưu lượng lấy được", "Available flow", "discharge", in_tiles=True),
            number("lowest_pressure", "Áp lực thấp nhất nơi khác", "Lowest pressure elsewhere", "head"),
            text("lowest_node", "Nút có áp lực thấp nhất", "Where it is lowest"),
            text("ward_code", "Mã phường/xã", "Ward code"),
        ),
        style=Style("#c8372d", by="fire_class", radius=4.0, outline="#ffffff", icon="hydrant"),
        rank=145,
        min_zoom=12,
        visible=False,
    ),
    VectorLayer(
        id="dma_balances",
        theme="water_supply",
        title=Text("Cân bằng nước theo DMA", "Water balance by DMA"),
        description=Text(
            "Cân bằng nước theo IWA, lưu lượng đêm và chỉ số rò rỉ hạ tầng của từng DMA trong một kỳ.",
            "IWA water balance, night flow and infrastructure leakage index of every area over a period.",
        ),
        geometry="MultiPolygon",
        properties=(
            RUN,
            text("dma_id", "Vùng cấp nước (DMA)", "District metered area", required=True, in_tiles=True),
            text("name", "Tên", "Name", in_tiles=True),
            coded("ili_band", "Mức chỉ số rò rỉ ILI", "Leakage band (ILI)", *ILI_BANDS, required=True),
            number("system_input", "Lượng nước vào", "System input", "daily_volume"),
            number("billed_metered", "Ghi thu, có đo", "Billed metered", "daily_volume"),
            number("billed_unmetered", "Ghi thu, không đo", "Billed unmetered", "daily_volume"),
            number("unbilled_authorised", "Được phép, không thu tiền", "Unbilled authorised", "daily_volume"),
            number("apparent_losses", "Thất thoát thương mại", "Apparent losses", "daily_volume"),
            number("real_losses", "Thất thoát cơ học (CARL)", "Real losses (CARL)", "daily_volume"),
            number("non_revenue_water", "Nước không doanh thu", "Non-revenue water", "daily_volume"),
            number("nrw_share", "Tỷ lệ nước không doanh thu", "Share of non-revenue water", "ratio", in_tiles=True),
            number("night_flow", "Lưu lượng đêm nhỏ nhất", "Minimum night flow", "discharge"),
            number("night_use", "Dùng nước ban đêm hợp lệ", "Legitimate night use", "discharge"),
            number("night_leakage", "Rò rỉ theo lưu lượng đêm", "Leakage by night flow", "daily_volume"),
            number("average_pressure", "Áp lực trung bình", "Average pressure", "head"),
            number(
                "unavoidable_losses", "Thất thoát không tránh được (UARL)", "Unavoidable losses (UARL)", "daily_volume"
            ),
            # An index has no bound; ratio is a share.
            number("ili", "Chỉ số rò rỉ hạ tầng (ILI)", "Infrastructure leakage index", "leakage_index", in_tiles=True),
            number("mains_length", "Chiều dài ống", "Length of mains", "length"),
            integer("connections", "Số đấu nối", "Connections"),
            integer("inlets", "Số đầu vào", "Inlets"),
            flag("boundary_sound", "Ranh giới kín", "Boundary is tight"),
            text("inflow_source", "Nguồn số liệu nước vào", "Where the inflow is from"),
        ),
        style=Style("#e8c33d20", by="ili_band", outline="#5b4a00", width=1.4, label="name"),
        rank=140,
        min_zoom=11,
        visible=False,
    ),
)
