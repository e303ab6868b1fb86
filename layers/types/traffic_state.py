"""The state of traffic: what counters say of streets now or then, and how counts compare with a model."""

from layers.schema import Style, Text, VectorLayer, code, coded, flag, integer, moment, number, text
from layers.types.runs import RUN

GRADES = (
    code("A", "A: thông thoáng", "A: free", "#1a9850"),
    code("B", "B: khá thông", "B: reasonably free", "#66bd63"),
    code("C", "C: ổn định", "C: stable", "#d9c63a"),
    code("D", "D: đông", "D: busy", "#fdae61"),
    code("E", "E: rất đông", "E: near capacity", "#f46d43"),
    code("F", "F: ùn tắc", "F: congested", "#a50026"),
)
WAYS = (
    code("forward", "Theo chiều vẽ", "As drawn"),
    code("backward", "Ngược chiều vẽ", "Against the drawing"),
)

LAYERS = (
    VectorLayer(
        id="traffic_state",
        theme="transport",
        title=Text("Tình trạng giao thông", "State of traffic"),
        description=Text(
            "Tốc độ, mức phục vụ của từng chiều đường có đo hoặc gần chỗ đo trên cùng tuyến.",
            "Speed and level of service of each way of a street that is measured, or near a station on it.",
        ),
        geometry="LineString",
        properties=(
            RUN,
            text("road_link_id", "Đoạn đường", "Road link", required=True, in_tiles=True),
            text("name", "Tên đường", "Name"),
            coded("way", "Chiều", "Way", *WAYS),
            coded("grade", "Mức phục vụ", "Level of service", *GRADES),
            number("speed", "Tốc độ", "Speed", "speed", in_tiles=True),
            number("free_speed", "Tốc độ tự do", "Free speed", "speed"),
            number("time_index", "Chỉ số thời gian đi", "Travel-time index", "capacity_use", in_tiles=True),
            number("flow", "Lưu lượng (xe/giờ)", "Flow (vehicles an hour)", "count", in_tiles=True),
            number("volume_share", "Mức dùng năng lực", "Volume over capacity", "capacity_use"),
            number("queue_growth", "Hàng chờ dài thêm mỗi giờ", "Growth of the queue in an hour", "length"),
            flag("measured", "Đo tại chỗ", "Measured here"),
            text("station_id", "Trạm", "Station"),
            number("distance", "Cách trạm", "From the station", "length"),
            moment("observed", "Đo lúc", "Observed"),
            number("age", "Số đo đã cũ", "Age of the reading", "duration"),
        ),
        style=Style("#8a8a8a", by="grade", width=5.0),
        rank=98,
        min_zoom=10,
        visible=False,
        words={"fiware": "TrafficFlowObserved"},
    ),
    VectorLayer(
        id="traffic_counts",
        theme="transport",
        title=Text("Kết quả đếm xe", "Traffic counts"),
        description=Text(
            "Lưu lượng ngày, giờ cao điểm của từng trạm, so với mô hình (GEH).",
            "Daily traffic and peak hour of each station, beside a model (GEH).",
        ),
        geometry="Point",
        properties=(
            RUN,
            text("station_id", "Trạm", "Station", required=True, in_tiles=True),
            text("name", "Tên", "Name"),
            text("road_link_id", "Đoạn đường", "Road link"),
            text("direction", "Chiều được đếm", "Direction"),
            number("daily_traffic", "Lưu lượng ngày trung bình năm", "Annual average daily traffic", "count"),
            integer("days", "Số ngày đếm đủ", "Whole days"),
            integer("peak_hour", "Giờ cao điểm", "Peak hour"),
            number("peak_flow", "Lưu lượng giờ cao điểm", "Flow of the peak hour", "count"),
            number("peak_factor", "Hệ số giờ cao điểm", "Peak hour factor", "ratio"),
            number("motorbike_share", "Tỷ lệ xe máy", "Share of motorbikes", "ratio"),
            number("car_share", "Tỷ lệ ô tô con", "Share of cars", "ratio"),
            number("truck_share", "Tỷ lệ xe tải", "Share of trucks", "ratio"),
            number("bus_share", "Tỷ lệ xe buýt", "Share of buses", "ratio"),
            number("cover", "Tỷ lệ số đo có được", "Share of readings", "ratio"),
            flag("good", "Đủ tin cậy", "Good"),
            number("count", "Lưu lượng đếm", "Counted flow", "count", in_tiles=True),
            number("model", "Lưu lượng mô hình", "Modelled flow", "count", in_tiles=True),
            number("geh", "GEH", "GEH", "capacity_use", in_tiles=True),
            coded(
                "fit",
                "Khớp mô hình",
                "Fit",
                code("fits", "Khớp (GEH < 5)", "Fits (GEH < 5)", "#1a9850"),
                code("doubtful", "Nghi ngờ (5–10)", "Doubtful (5–10)", "#fdae61"),
                code("unfit", "Không khớp (> 10)", "Does not fit (> 10)", "#a50026"),
                code("alone", "Không có mô hình", "No model", "#8a8a8a"),
            ),
        ),
        style=Style("#8a8a8a", by="fit", radius=6.0, outline="#ffffff"),
        rank=99,
        min_zoom=10,
        visible=False,
    ),
)
