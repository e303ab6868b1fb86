"""Fire protection: stations, and where engines take water when there is no hydrant."""

from layers.schema import Style, Text, VectorLayer, code, coded, date, flag, integer, number, text

LAYERS = (
    VectorLayer(
        id="fire_stations",
        theme="fire",
        title=Text("Đội, trạm chữa cháy", "Fire stations"),
        description=Text("Đội cảnh sát phòng cháy chữa cháy và cứu nạn.", "Fire and rescue stations."),
        geometry="Point",
        properties=(
            text("name", "Tên", "Name", required=True),
            text("address", "Địa chỉ", "Address"),
            text("phone", "Điện thoại", "Telephone"),
            integer("engines", "Số xe chữa cháy", "Fire engines"),
            integer("boats", "Số tàu, xuồng chữa cháy", "Fire boats"),
            integer("staff", "Quân số", "Staff", "people"),
            number("max_ladder", "Tầm với xe thang", "Ladder reach", "height"),
            number("floor_elevation", "Cao độ sàn", "Floor elevation", "elevation"),
            text("ward_code", "Mã phường/xã", "Ward code"),
        ),
        style=Style("#b8201f", radius=7.0, outline="#ffffff", label="name", icon="flame"),
        rank=83,
        min_zoom=11,
        visible=False,
        words={"inspire": "us-govserv:GovernmentalService"},
    ),
    VectorLayer(
        id="fire_water_points",
        theme="fire",
        title=Text("Bến, điểm lấy nước chữa cháy", "Fire water intake points"),
        description=Text(
            "Nơi xe chữa cháy hút nước từ sông, ao, hồ hoặc bể.", "Where engines draw from rivers, ponds and tanks."
        ),
        geometry="Point",
        properties=(
            text("name", "Tên", "Name", in_tiles=True),
            coded(
                "source_type",
                "Nguồn nước",
                "Source",
                code("quay", "Bến lấy nước sông, rạch", "Quay on a river", "#2f7fb0"),
                code("pond", "Ao, hồ", "Pond or lake", "#3f9e8a"),
                code("tank", "Bể chứa", "Tank", "#5f6fa8"),
                code("well", "Giếng", "Well", "#7a7f8c"),
                required=True,
            ),
            number("volume", "Trữ lượng", "Volume", "volume"),
            number("suction_lift", "Chiều cao hút lúc nước ròng", "Suction lift at low water", "height"),
            flag("has_vehicle_access", "Xe tiếp cận được", "Engines can reach it"),
            coded(
                "status",
                "Trạng thái",
                "Status",
                code("usable", "Dùng được", "Usable"),
                code("blocked", "Bị lấn chiếm, bồi lấp", "Blocked"),
                code("dry", "Cạn", "Dry"),
            ),
            text("water_body_id", "Mặt nước", "Water body"),
            date("last_checked", "Lần kiểm tra gần nhất", "Last checked"),
            text("ward_code", "Mã phường/xã", "Ward code"),
        ),
        style=Style("#2f7fb0", by="source_type", radius=4.5, outline="#b8201f", icon="drop"),
        rank=82,
        min_zoom=13,
        visible=False,
    ),
)
