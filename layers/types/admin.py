"""Administration: provinces, wards with official codes, and where people live."""

from layers.schema import Style, Text, VectorLayer, code, coded, integer, number, text

LAYERS = (
    VectorLayer(
        id="provinces",
        theme="admin",
        title=Text("Tỉnh, thành phố", "Provinces"),
        description=Text("Đơn vị hành chính cấp tỉnh.", "First-level administrative units."),
        geometry="MultiPolygon",
        properties=(
            text("name", "Tên", "Name", required=True),
            text("name_en", "Tên tiếng Anh", "English name"),
            text("province_code", "Mã", "Code"),
            number("area", "Diện tích", "Area", "area"),
        ),
        style=Style("#00000000", outline="#8f6f8f", width=2.0),
        rank=20,
        min_zoom=4,
        visible=False,
        words={"inspire": "au:AdministrativeUnit"},
    ),
    VectorLayer(
        id="wards",
        theme="admin",
        title=Text("Phường, xã", "Wards"),
        description=Text("Đơn vị hành chính cấp xã từ 01/07/2025.", "Wards and communes as of 1 July 2025."),
        geometry="MultiPolygon",
        properties=(
            text("name", "Tên", "Name", required=True),
            text("name_en", "Tên tiếng Anh", "English name"),
            text("ward_code", "Mã phường/xã", "Ward code", required=True),
            text("province_code", "Mã tỉnh", "Province code"),
            coded(
                "ward_type",
                "Loại",
                "Type",
                code("ward", "Phường", "Ward"),
                code("commune", "Xã", "Commune"),
                code("special_zone", "Đặc khu", "Special zone"),
            ),
            integer("population", "Dân số", "Population", "people"),
            number("area", "Diện tích", "Area", "area"),
        ),
        style=Style("#00000000", outline="#9c7fa5", width=1.5, label="name"),
        rank=21,
        min_zoom=7,
        words={"inspire": "au:AdministrativeUnit"},
    ),
    VectorLayer(
        id="population",
        theme="admin",
        title=Text("Dân cư (ô lưới)", "Population cells"),
        description=Text("Số người theo ô.", "People by cell."),
        geometry="MultiPolygon",
        properties=(
            integer("population", "Dân số", "Population", "people", in_tiles=True),
            integer("jobs", "Việc làm", "Jobs", "count"),
            integer("schools", "Trường học", "Schools", "count"),
            integer("healthcare", "Cơ sở y tế", "Health facilities", "count"),
        ),
        style=Style(
            "#8c6bb1",
            classes=(
                (0.0, "#f3ecf700"),
                (100.0, "#dcd0ea"),
                (500.0, "#b99bd4"),
                (1500.0, "#8c6bb1"),
                (4000.0, "#5c3a87"),
            ),
            opacity=0.6,
        ),
        rank=18,
        min_zoom=9,
        visible=False,
        words={"inspire": "pd:StatisticalDistribution"},
    ),
)
