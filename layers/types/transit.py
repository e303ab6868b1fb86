"""Public transport: the routes of the feeds, drawn along their shapes."""

from layers.schema import Style, Text, VectorLayer, code, coded, integer, number, text

ROUTE_TYPES = (
    code("tram", "Tàu điện", "Tram", "#8d5a97", words={"gtfs": "0"}),
    code("subway", "Tàu điện ngầm", "Subway", "#4b5fa6", words={"gtfs": "1"}),
    code("rail", "Tàu hỏa", "Rail", "#6f6a73", words={"gtfs": "2"}),
    code("bus", "Xe buýt", "Bus", "#2e7d6b", words={"gtfs": "3"}),
    code("ferry", "Phà, tàu thủy", "Ferry", "#2f6f9f", words={"gtfs": "4"}),
    code("cable_tram", "Tàu kéo cáp", "Cable tram", "#9a6b3f", words={"gtfs": "5"}),
    code("aerial_lift", "Cáp treo", "Aerial lift", "#b07d2b", words={"gtfs": "6"}),
    code("funicular", "Tàu leo núi", "Funicular", "#9a6b3f", words={"gtfs": "7"}),
    code("trolleybus", "Xe điện bánh hơi", "Trolleybus", "#3f8f5b", words={"gtfs": "11"}),
    code("monorail", "Một ray", "Monorail", "#5a6fb0", words={"gtfs": "12"}),
    code("other", "Khác", "Other", "#7a7a7a"),
)

LAYERS = (
    VectorLayer(
        id="transit_routes",
        theme="transport",
        title=Text("Tuyến giao thông công cộng", "Transit routes"),
        description=Text(
            "Tuyến xe buýt, tàu, phà theo chiều, vẽ theo đường chạy hoặc qua các trạm.",
            "Routes of buses, trains and ferries by direction, along their shapes or from stop to stop.",
        ),
        geometry="LineString",
        properties=(
            text("name", "Tên tuyến", "Name", in_tiles=True),
            text("short_name", "Số tuyến", "Short name", in_tiles=True, words={"gtfs": "routes.route_short_name"}),
            coded("route_type", "Loại", "Type", *ROUTE_TYPES, required=True, words={"gtfs": "routes.route_type"}),
            text("feed", "Bộ dữ liệu", "Feed", in_tiles=True),
            text("route_id", "Mã tuyến GTFS", "GTFS route", in_tiles=True, words={"gtfs": "routes.route_id"}),
            integer("direction", "Chiều", "Direction", None, words={"gtfs": "trips.direction_id"}),
            text("shape_id", "Mã đường chạy", "Shape", words={"gtfs": "shapes.shape_id"}),
            text("headsign", "Hướng đến", "Headsign", words={"gtfs": "trips.trip_headsign"}),
            text("agency", "Đơn vị khai thác", "Agency", words={"gtfs": "agency.agency_name"}),
            text("route_color", "Màu tuyến", "Route colour", in_tiles=True, words={"gtfs": "routes.route_color"}),
            integer("stop_count", "Số trạm", "Stops"),
            integer("trip_count", "Chuyến một ngày", "Trips a day"),
            number("headway", "Giãn cách trung bình", "Mean headway", "duration"),
            number("length", "Chiều dài", "Length", "length"),
        ),
        style=Style("#2e7d6b", by="route_type", width=3.0, opacity=0.85, label="short_name"),
        rank=47,
        min_zoom=9,
        words={"gtfs": "routes|shapes", "fiware": "GtfsRoute"},
    ),
)
