"""Inputs that several processes have: the rain that falls, as a design storm, as gauges recorded it, or as forecast."""

from hydrology.design_storm import Shape
from layers.schema import Text
from twin.process import describe

SHAPE_TITLES: dict[Shape, Text] = {
    "chicago": Text("Chicago", "Chicago"),
    "alternating": Text("Khối xen kẽ", "Alternating blocks"),
    "uniform": Text("Đều", "Uniform"),
    "huff1": Text("Huff, nặng hạt ở phần tư đầu", "Huff, heaviest in the first quarter"),
    "huff2": Text("Huff, nặng hạt ở phần tư thứ hai", "Huff, heaviest in the second quarter"),
    "huff3": Text("Huff, nặng hạt ở phần tư thứ ba", "Huff, heaviest in the third quarter"),
    "huff4": Text("Huff, nặng hạt ở phần tư cuối", "Huff, heaviest in the last quarter"),
}

STORM_DEPTH = describe(
    Text("Lượng mưa", "Storm depth"),
    Text("Tổng lượng của trận mưa thiết kế.", "Rain of the design storm."),
    unit="mm",
    default=0.0,
    ge=0.0,
    le=1500.0,
)
STORM_HOURS = describe(
    Text("Thời gian mưa", "Storm duration"),
    Text("Trận mưa thiết kế kéo dài bao lâu.", "Duration of the design storm."),
    unit="h",
    default=3.0,
    gt=0.0,
    le=72.0,
)
STORM_SHAPE = describe(
    Text("Dạng mưa", "Storm shape"),
    Text(
        "Mưa phân bố theo thời gian thế nào; chỉ dạng Chicago và khối xen kẽ giữ đúng đường cường độ mưa.",
        "How the rain falls in time; only Chicago and alternating blocks follow the intensity curve throughout.",
    ),
    choices=SHAPE_TITLES,
    default="chicago",
)
STORM_RETURN_PERIOD = describe(
    Text("Chu kỳ lặp lại của mưa", "Storm return period"),
    Text(
        "Trận mưa bao nhiêu năm có một lần; thay cho lượng mưa, cần có đường cường độ mưa.",
        "The rain that comes once in so many years; instead of its depth, with the storm curve.",
    ),
    unit="a",
    default=None,
    ge=0.1,
    le=1000.0,
)
STORM_CURVE = describe(
    Text("Đường cường độ mưa", "Storm curve"),
    Text(
        "Bốn hệ số A, C, b, n của địa phương theo TCVN 7957: q = A(1 + C lg P)/(t + b)^n, l/s/ha, t là phút.",
        "The place's four coefficients A, C, b, n of TCVN 7957: q = A(1 + C lg P)/(t + b)^n, l/s/ha, t in minutes.",
    ),
    default=None,
    min_length=4,
    max_length=4,
)
RECORDED_RAIN = describe(
    Text("Mưa thực đo", "Recorded rain"),
    Text(
        "Lấy mưa các trạm đã đo từ lúc bắt đầu, để dựng lại trận ngập đã qua.",
        "The rain that the gauges recorded from the base time on, to reconstruct a past flood.",
    ),
    default=False,
)
RAIN_DEPTHS = describe(
    Text("Mưa dự báo", "Forecast rain"),
    Text(
        "Lượng mưa của từng bước thời gian từ lúc bắt đầu, mm, như một bản tin dự báo cho.",
        "Rain of each step from the start on, mm, as a forecast supplies it.",
    ),
    unit="mm",
    default=(),
    max_length=1000,
)
RAIN_STEP_MINUTES = describe(
    Text("Bước mưa dự báo", "Step of the forecast rain"),
    Text("Mỗi bước dài bao lâu.", "How long each step is."),
    unit="min",
    default=60.0,
    ge=1.0,
    le=1440.0,
)
RAIN_FACTOR = describe(
    Text("Hệ số mưa", "Rain factor"),
    Text("Nhân mọi lượng mưa, như do khí hậu.", "Multiplies all rain, as a change of climate would."),
    unit="1",
    default=1.0,
    ge=0.0,
    le=5.0,
)
