"""Buildings."""

from dataclasses import replace

from layers.schema import Style, Text, VectorLayer, code, coded, guard, integer, number, text

BUILDING_USE = (
    code("house", "Nhà ở", "House", "#e3cdb8"),
    code("apartment", "Chung cư", "Apartments", "#dfc0a8"),
    code("shop", "Nhà phố thương mại", "Shophouse", "#e8b89b"),
    code("office", "Văn phòng", "Office", "#cdbcd6"),
    code("industrial", "Nhà xưởng, kho", "Industrial, storage", "#bfb6c2"),
    code("school", "Trường học", "School", "#b9c4e3"),
    code("hospital", "Cơ sở y tế", "Health care", "#eaa9a9"),
    code("public", "Công cộng", "Public", "#b9cbd9"),
    code("religious", "Tôn giáo", "Religious", "#e3d39a"),
    code("other", "Khác", "Other", "#d9cec2"),
)

LAYERS = (
    VectorLayer(
        id="buildings",
        theme="buildings",
        title=Text("Nhà và công trình", "Buildings"),
        description=Text(
            "Đường viền, công dụng, số tầng và chiều cao công trình.", "Footprints with use, storeys and height."
        ),
        geometry="MultiPolygon",
        properties=(
            text("name", "Tên", "Name", in_tiles=True),
            text("address", "Địa chỉ", "Address"),
            coded("use", "Công dụng", "Use", *BUILDING_USE),
            integer("storeys", "Số tầng", "Storeys"),
            number("height", "Chiều cao", "Height", "height"),
            number("ground_elevation", "Cao độ nền", "Ground elevation", "elevation"),
            number("floor_elevation", "Cao độ sàn tầng trệt", "Ground-floor elevation", "elevation"),
            integer("year_built", "Năm xây dựng", "Year built", "year"),
            replace(integer("residents", "Số người ở", "Residents", "people"), access="staff"),
            text("ward_code", "Mã phường/xã", "Ward code"),
            guard(),
        ),
        style=Style("#d9cec2", by="use", outline="#b7a892", height="height"),
        rank=30,
        min_zoom=12,
        words={"inspire": "bu-core2d:Building", "citygml": "bldg:Building"},
    ),
)
