"""Traffic by a model: what runs of traffic-assignment write."""

from layers.schema import Style, Text, VectorLayer, coded, flag, number, text
from layers.types.runs import RUN
from layers.types.traffic_state import GRADES, WAYS

LAYERS = (
    VectorLayer(
        id="traffic_flows",
        theme="transport",
        title=Text("Dòng xe mô phỏng", "Modelled traffic"),
        description=Text(
            "Lưu lượng, mức dùng năng lực, tốc độ của từng chiều đường khi không ai tìm được đường nhanh hơn.",
            "Flow, use of capacity and speed of each way of a road when nobody finds a quicker one.",
        ),
        geometry="LineString",
        properties=(
            RUN,
            text("road_link_id", "Đoạn đường", "Road link", required=True, in_tiles=True),
            text("name", "Tên đường", "Name"),
            coded("way", "Chiều", "Way", *WAYS),
            coded("grade", "Mức phục vụ", "Level of service", *GRADES),
            number("flow", "Lưu lượng (xe/giờ)", "Flow (vehicles an hour)", "count", in_tiles=True),
            number("flow_pcu", "Lưu lượng quy đổi (xcqđ/giờ)", "Flow (car units an hour)", "count"),
            number("flow_motorbike", "Xe máy mỗi giờ", "Motorbikes an hour", "count"),
            number("flow_car", "Ô tô con mỗi giờ", "Cars an hour", "count"),
            number("flow_truck", "Xe tải mỗi giờ", "Trucks an hour", "count"),
            number("capacity", "Năng lực (xcqđ/giờ)", "Capacity (car units an hour)", "count"),
            number("volume_share", "Mức dùng năng lực", "Volume over capacity", "capacity_use", in_tiles=True),
            number("speed", "Tốc độ", "Speed", "speed", in_tiles=True),
            number("free_speed", "Tốc độ tự do", "Free speed", "speed"),
            number("time", "Thời gian đi hết đoạn", "Time along it", "duration"),
            number("delay", "Chậm so với đường thông", "Delay", "duration"),
            number("flow_change", "Thay đổi so với lần chạy gốc", "Change of flow from the base run", "count_change"),
            number("selected_flow", "Dòng xe qua đoạn đã chọn", "Flow that passes the chosen roads", "count"),
            flag("closed", "Đang cấm", "Closed"),
        ),
        style=Style("#8a8a8a", by="grade", width=4.0),
        rank=124,
        min_zoom=10,
        visible=False,
    ),
)
