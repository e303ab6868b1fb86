"""Criticality of roads: what runs of road-criticality write."""

from layers.schema import Style, Text, VectorLayer, code, coded, flag, integer, number, text
from layers.types.runs import RUN
from layers.types.transport import ROAD_CLASS

LEVELS = (
    code("first", "Hạng 1–5", "Rank 1–5", "#7a1a5e"),
    code("high", "Hạng 6–15", "Rank 6–15", "#c2478d"),
    code("medium", "Hạng 16–40", "Rank 16–40", "#e58fb8"),
    code("tried", "Đã thử, hạng sau 40", "Tried, after rank 40", "#b9aebd"),
)

LAYERS = (
    VectorLayer(
        id="road_criticality",
        theme="transport",
        title=Text("Đường trọng yếu", "Critical roads"),
        description=Text(
            "Đoạn đường mà mạng lưới dựa vào: bao nhiêu chuyến đi qua, mất gì khi cấm, ai bị chia cắt, có đường vòng "
            "không. Thứ hạng theo từng thước đo, vì các thước đo không nhất thiết giống nhau.",
            "Stretches the network hangs on: trips on them, what is lost when they close, who is cut off, whether "
            "there is another way. A rank by each measure, since measures need not agree.",
        ),
        geometry="LineString",
        properties=(
            RUN,
            text("road_id", "Đường", "Road", required=True, in_tiles=True),
            text("name", "Tên đường", "Name"),
            coded("road_class", "Cấp đường", "Class", *ROAD_CLASS),
            coded("level", "Mức", "Level", *LEVELS),
            integer("rank", "Hạng chung", "Rank over all", in_tiles=True),
            integer("rank_trips", "Hạng theo chuyến đi", "Rank by trips"),
            integer("rank_unserved", "Hạng theo chuyến không đi được", "Rank by trips without a way"),
            integer("rank_added", "Hạng theo thời gian thêm", "Rank by time added"),
            integer("rank_people", "Hạng theo người bị chia cắt", "Rank by people cut off"),
            integer("rank_redundancy", "Hạng theo đường vòng", "Rank by lack of another way"),
            integer("rank_spread", "Độ lệch giữa các hạng", "Spread of ranks"),
            number("trips", "Chuyến đi qua", "Trips on it", "count", in_tiles=True),
            number("unserved_trips", "Chuyến không đi được khi cấm", "Trips without a way when closed", "count"),
            number("added_time", "Thời gian thêm khi cấm", "Time added when closed", "time_change", in_tiles=True),
            number("capacity_cut_time", "Thời gian thêm khi bớt sức chứa", "Time added with less room", "time_change"),
            integer("people_cut_off", "Người bị chia cắt", "People cut off", "people", in_tiles=True),
            integer("people_no_hospital", "Người mất đường tới bệnh viện", "People without a hospital", "people"),
            number("detour_ratio", "Đường vòng dài gấp", "Next-best way, times as long", "capacity_use"),
            integer("disjoint_ways", "Số đường không trùng nhau", "Ways without a common stretch", "count"),
            flag("only_way", "Đường độc đạo", "Only way"),
        ),
        style=Style(
            "#7a1a5e",
            by="level",
            width=4.0,
            outline="#ffffff",
        ),
        rank=125,
        min_zoom=10,
        visible=False,
    ),
)
