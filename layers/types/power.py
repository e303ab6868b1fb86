"""Power supply: substations, lines, transformers, poles."""

from dataclasses import replace

from layers.schema import Style, Text, VectorLayer, code, coded, guard, integer, number, text
from layers.types.inventory import STATE

VOLTAGE_CLASS = (
    code("extra_high", "Siêu cao áp (220–500 kV)", "Extra high voltage (220–500 kV)", "#8e1b3a"),
    code("high", "Cao áp (110 kV)", "High voltage (110 kV)", "#c0392b"),
    code("medium", "Trung áp (22–35 kV)", "Medium voltage (22–35 kV)", "#dd7a2b"),
    code("low", "Hạ áp (0,4 kV)", "Low voltage (0.4 kV)", "#b59a6a"),
)
LAYING = (
    code("overhead", "Trên không", "Overhead"),
    code("underground", "Ngầm", "Underground"),
    code("submarine", "Dưới nước", "Under water"),
)
_APPURTENANCE = "us-net-common:Appurtenance"

LAYERS = (
    VectorLayer(
        id="substations",
        theme="power",
        title=Text("Trạm biến áp trung gian", "Substations"),
        description=Text(
            "Trạm 110 kV trở lên và trạm cắt, trạm trung gian.", "Substations of 110 kV and above, switching stations."
        ),
        geometry="Point",
        properties=(
            text("name", "Tên", "Name", required=True),
            coded("voltage_class", "Cấp điện áp", "Voltage class", *VOLTAGE_CLASS, required=True),
            number("primary_voltage", "Điện áp sơ cấp", "Primary voltage", "voltage"),
            number("secondary_voltage", "Điện áp thứ cấp", "Secondary voltage", "voltage"),
            number("rated_power", "Công suất đặt", "Installed capacity", "apparent_power"),
            replace(number("peak_load", "Phụ tải cực đại", "Peak load", "apparent_power"), access="restricted"),
            number("base_elevation", "Cao độ nền trạm", "Ground level of the yard", "elevation"),
            text("ward_code", "Mã phường/xã", "Ward code"),
            *STATE,
            guard(),
        ),
        style=Style("#c0392b", by="voltage_class", radius=7.0, outline="#ffffff", label="name", icon="bolt"),
        rank=73,
        min_zoom=11,
        visible=False,
        words={"inspire": _APPURTENANCE},
    ),
    VectorLayer(
        id="power_lines",
        theme="power",
        title=Text("Đường dây điện", "Power lines"),
        description=Text("Đường dây trên không và cáp ngầm theo cấp điện áp.", "Overhead lines and cables by voltage."),
        geometry="LineString",
        properties=(
            coded("voltage_class", "Cấp điện áp", "Voltage class", *VOLTAGE_CLASS, required=True),
            number(
                "voltage",
                "Điện áp danh định",
                "Nominal voltage",
                "voltage",
                words={"inspire": "us-net-el:ElectricityCable.nominalVoltage"},
            ),
            text("feeder", "Xuất tuyến (lộ)", "Feeder", in_tiles=True),
            text("substation_id", "Trạm nguồn", "Substation"),
            text("transformer_id", "Trạm biến áp cấp", "Transformer"),
            coded("laying", "Kiểu đi dây", "Laying", *LAYING),
            text("conductor", "Loại dây, cáp", "Conductor"),
            integer("circuits", "Số mạch", "Circuits"),
            text("from_id", "Từ", "From"),
            text("to_id", "Đến", "To"),
            number("length", "Chiều dài", "Length", "length"),
            *STATE,
        ),
        style=Style("#dd7a2b", by="voltage_class", width=1.6),
        rank=54,
        min_zoom=12,
        visible=False,
        words={"inspire": "us-net-el:ElectricityCable"},
    ),
    VectorLayer(
        id="transformers",
        theme="power",
        title=Text("Trạm biến áp phân phối", "Distribution transformers"),
        description=Text(
            "Trạm biến áp 22/0,4 kV treo trụ, trệt hoặc trong nhà.",
            "Transformers of 22/0.4 kV on poles, pads or indoors.",
        ),
        geometry="Point",
        properties=(
            text("name", "Tên", "Name", in_tiles=True),
            number("rated_power", "Công suất", "Rated power", "apparent_power"),
            number("primary_voltage", "Điện áp sơ cấp", "Primary voltage", "voltage"),
            number("secondary_voltage", "Điện áp thứ cấp", "Secondary voltage", "voltage"),
            coded(
                "mounting",
                "Kiểu trạm",
                "Mounting",
                code("pole", "Treo trụ", "On a pole", "#c46a1f"),
                code("pad", "Trệt", "On a pad", "#9c4a2f"),
                code("indoor", "Trong nhà", "Indoors", "#8a6d9c"),
            ),
            text("feeder", "Xuất tuyến (lộ)", "Feeder"),
            text("substation_id", "Trạm nguồn", "Substation"),
            text("pole_id", "Trụ", "Pole"),
            integer("customers", "Số khách hàng", "Customers"),
            number("base_elevation", "Cao độ thiết bị thấp nhất", "Lowest live equipment", "elevation"),
            text("ward_code", "Mã phường/xã", "Ward code"),
            *STATE,
        ),
        style=Style("#c46a1f", by="mounting", radius=4.0, outline="#ffffff", icon="transformer"),
        rank=71,
        min_zoom=14,
        visible=False,
        words={"inspire": _APPURTENANCE},
    ),
    VectorLayer(
        id="poles",
        theme="power",
        title=Text("Trụ điện", "Poles"),
        description=Text(
            "Trụ đỡ dây điện, đèn và cáp viễn thông.", "Poles that carry power, lights and telecom cables."
        ),
        geometry="Point",
        properties=(
            coded(
                "pole_type",
                "Loại trụ",
                "Type",
                code("concrete", "Bê tông ly tâm", "Concrete", "#8f8a80"),
                code("steel", "Thép", "Steel", "#64748b"),
                code("wood", "Gỗ", "Wood", "#9a7b4f"),
                code("tower", "Tháp sắt", "Lattice tower", "#4b5563", words={"inspire": "Tower"}),
            ),
            number("height", "Chiều cao", "Height", "height", words={"inspire": "us-net-common:Pole.poleHeight"}),
            coded("voltage_class", "Cấp điện áp cao nhất", "Highest voltage class", *VOLTAGE_CLASS),
            text("feeder", "Xuất tuyến (lộ)", "Feeder"),
            integer("telecom_cables", "Số cáp viễn thông treo", "Telecom cables carried"),
            *STATE,
        ),
        style=Style("#8f8a80", by="pole_type", radius=2.0, icon="pole"),
        rank=62,
        min_zoom=16,
        visible=False,
        words={"inspire": "us-net-common:Pole|us-net-common:Tower"},
    ),
)
