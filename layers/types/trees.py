"""Trees and green spaces."""

from layers.schema import Style, Text, VectorLayer, code, coded, date, number, text

LAYERS = (
    VectorLayer(
        id="trees",
        theme="trees",
        title=Text("Cây xanh", "Trees"),
        description=Text("Cây đường phố và công viên.", "Street and park trees."),
        geometry="Point",
        properties=(
            text("species", "Loài", "Species"),
            text("local_name", "Tên thường gọi", "Common name"),
            number("height", "Chiều cao", "Height", "height"),
            number("trunk_diameter", "Đường kính thân", "Trunk diameter", "diameter"),
            number("crown_diameter", "Đường kính tán", "Crown diameter", "width"),
            date("planted", "Ngày trồng", "Planted"),
            coded(
                "condition",
                "Tình trạng",
                "Condition",
                code("good", "Tốt", "Good"),
                code("fair", "Trung bình", "Fair"),
                code("poor", "Kém", "Poor"),
                code("dead", "Chết", "Dead"),
            ),
            text("note", "Ghi chú", "Note"),
        ),
        style=Style("#5f9e52", radius=3.0, opacity=0.85, icon="tree"),
        rank=68,
        min_zoom=11,
        visible=False,
    ),
    VectorLayer(
        id="green_spaces",
        theme="trees",
        title=Text("Công viên, mảng xanh", "Green spaces"),
        description=Text("Công viên, vườn hoa, sân thể thao.", "Parks, gardens, sports grounds."),
        geometry="MultiPolygon",
        properties=(
            text("name", "Tên", "Name"),
            coded(
                "green_type",
                "Loại",
                "Type",
                code("park", "Công viên", "Park"),
                code("garden", "Vườn hoa", "Garden"),
                code("sports", "Sân thể thao", "Sports ground"),
                code("playground", "Sân chơi", "Playground"),
                code("roadside", "Dải cây xanh", "Roadside green"),
                code("other", "Khác", "Other"),
            ),
            number("area", "Diện tích", "Area", "area"),
        ),
        style=Style("#c0dfae", label="name"),
        rank=6,
        min_zoom=11,
        words={"fiware": "Garden"},
    ),
)
