"""Sensors: where the city is measured. Their readings are datastreams, not properties."""

from layers.schema import Style, Text, VectorLayer, code, coded, date, number, text

LAYERS = (
    VectorLayer(
        id="sensors",
        theme="sensors",
        title=Text("Trạm đo", "Sensors"),
        description=Text("Trạm đo mực nước, mưa, bơm và các thiết bị khác.", "Gauges and other instruments."),
        geometry="Point",
        properties=(
            text("name", "Tên", "Name", required=True),
            coded(
                "kind",
                "Loại",
                "Kind",
                code("stage", "Mực nước", "Stage", "#1f6fb2"),
                code("rain", "Mưa", "Rain", "#5b6fc7"),
                code("flow", "Lưu lượng", "Flow", "#2a9d8f"),
                code("pump", "Trạng thái bơm", "Pump state", "#d0482f"),
                code("gate", "Độ mở cửa van", "Gate position", "#c77f12"),
                code("water_quality", "Chất lượng nước", "Water quality", "#5c9e4a"),
                code("groundwater", "Nước dưới đất", "Groundwater", "#8a6d3b"),
                code("licensed_discharge", "Xả thải được cấp phép", "Licensed discharge", "#a0527a"),
                code("air_quality", "Chất lượng không khí", "Air quality", "#8f8f8f"),
                code("light", "Điều khiển đèn", "Light controller", "#e8b500"),
                code("traffic", "Đếm xe", "Traffic counter", "#6b4fa0"),
                code("bin_level", "Mức đầy thùng rác", "Bin level", "#7a6a55"),
                code("parking_bay", "Chỗ đỗ xe", "Parking bay", "#5f7fb5"),
                code("electricity_meter", "Công tơ điện", "Electricity meter", "#c2410c"),
                code("water_pressure", "Áp lực nước", "Water pressure", "#0e7490"),
                required=True,
            ),
            number("elevation", "Cao độ mốc", "Datum elevation", "elevation"),
            number("alarm_1", "Báo động I", "Alarm level I", "stage"),
            number("alarm_2", "Báo động II", "Alarm level II", "stage"),
            number("alarm_3", "Báo động III", "Alarm level III", "stage"),
            text("watched_layer", "Lớp được theo dõi", "Watched layer"),
            text("watched_id", "Đối tượng được theo dõi", "Watched item"),
            date("installed", "Ngày lắp đặt", "Installed"),
        ),
        style=Style("#1f6fb2", by="kind", radius=6.0, outline="#ffffff", label="name", icon="gauge"),
        rank=90,
        min_zoom=10,
        words={"sensorthings": "Thing"},
    ),
)
