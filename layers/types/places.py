"""Places: where people go and whom a flood must not cut off."""

from layers.schema import Style, Text, VectorLayer, code, coded, integer, text

LAYERS = (
    VectorLayer(
        id="places",
        theme="places",
        title=Text("Địa điểm", "Places"),
        description=Text(
            "Trường học, bệnh viện, chợ, cơ quan và địa điểm khác.", "Schools, hospitals, markets, offices and more."
        ),
        geometry="Point",
        properties=(
            text("name", "Tên", "Name"),
            coded(
                "category",
                "Loại",
                "Category",
                code("school", "Trường học", "School", "#5566b0"),
                code("university", "Đại học, cao đẳng", "University", "#4b55a0"),
                code("hospital", "Bệnh viện", "Hospital", "#c23b3b"),
                code("clinic", "Phòng khám, trạm y tế", "Clinic", "#d46a6a"),
                code("pharmacy", "Nhà thuốc", "Pharmacy", "#d98c8c"),
                code("market", "Chợ, siêu thị", "Market", "#c07a1d"),
                code("shelter", "Nơi tránh lũ", "Shelter", "#2d8f56"),
                code("police", "Công an", "Police", "#34495e"),
                code("fire_station", "Phòng cháy chữa cháy", "Fire station", "#b8321f"),
                code("government", "Cơ quan nhà nước", "Government", "#51606e"),
                code("worship", "Nơi thờ tự", "Place of worship", "#a58b2f"),
                code("fuel", "Trạm xăng", "Fuel station", "#7d6b5d"),
                code("food", "Ăn uống", "Food and drink", "#b0744f"),
                code("lodging", "Lưu trú", "Lodging", "#7d6fa8"),
                code("bank", "Ngân hàng", "Bank", "#6c8a7f"),
                code("other", "Khác", "Other", "#8a8a8a"),
                required=True,
            ),
            text("address", "Địa chỉ", "Address"),
            text("phone", "Điện thoại", "Telephone"),
            integer("capacity", "Sức chứa", "Capacity", "people"),
            text("ward_code", "Mã phường/xã", "Ward code"),
        ),
        style=Style("#8a8a8a", by="category", radius=4.0, outline="#ffffff", label="name", icon="pin"),
        rank=80,
        min_zoom=14,
    ),
)
