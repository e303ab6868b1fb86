"""The city's indicators, each declared once. Adding one is one entry; the service, the wall and the widgets follow."""

from layers.schema import Text
from twin.indicators.words import Indicator, Limits, OfSeries

_NO_SENSOR = Text("chưa có cảm biến nào gửi số đo", "no sensor has sent readings")
_NO_RUN = Text("chưa có lần tính ngập nào cho lúc này", "no flood run covers this time")
_NONE = Text("chưa có dữ liệu", "no data yet")
_AIR = Text("VN_AQI, Quyết định 1459/QĐ-TCMT (2019)", "VN_AQI, Decision 1459/QĐ-TCMT (2019)")
_SURFACE_WATER = Text("QCVN 08:2023/BTNMT, mức B và C", "QCVN 08:2023/BTNMT, levels B and C")
_LEVELS = Text("Quyết định 05/2020/QĐ-TTg", "Decision 05/2020/QĐ-TTg")

_ALL = (
    Indicator(
        "gauges_over_alarm", "flood",
        Text("Trạm vượt báo động", "Gauges over alarm level"),
        Text("Số trạm đo mực nước từ báo động I trở lên.", "Water-level gauges at or over alarm level I."),
        OfSeries("stage", "stage", test="alarm", urgent=2),
        "/sensors/latest?kind=stage", _NO_SENSOR, limits=Limits(watch=1, source=_LEVELS),
    ),
    Indicator(
        "flooded_area_now", "flood",
        Text("Diện tích ngập hiện nay", "Flooded area now"),
        Text("Diện tích ngập sâu từ 5 cm lúc này, theo lần tính mới nhất.", "Ground under 5 cm of water or more now, "
             "by the newest run."),
        "flooded_now", "/api/runs?process=flood-forecast", _NO_RUN, "m2", limits=Limits(watch=1e4, bad=1e6),
    ),
    Indicator(
        "flooded_area_forecast", "flood",
        Text("Diện tích ngập dự báo", "Flooded area forecast"),
        Text("Diện tích ngập lớn nhất của dự báo mới nhất.", "Largest flooded area of the newest forecast."),
        "flooded_forecast", "/api/runs?process=flood-forecast", _NO_RUN, "m2", limits=Limits(watch=1e4, bad=1e6),
    ),
    Indicator(
        "people_affected", "flood",
        Text("Người bị ảnh hưởng (dự báo)", "People affected (forecast)"),
        Text("Số người ở nơi ngập theo dự báo mới nhất.", "People where water stands in the newest forecast."),
        "people_affected", "/api/runs?process=flood-forecast", _NO_RUN, "{people}", limits=Limits(watch=1, bad=1000),
    ),
    Indicator(
        "warnings_in_force", "flood",
        Text("Cảnh báo đang hiệu lực", "Warnings in force"),
        Text("Bản tin CAP đã phát, chưa hết hạn hay hủy.", "CAP messages issued that neither expired nor ended."),
        "warnings", "/cap/alerts.json?in_force=true", _NONE, limits=Limits(watch=1),
    ),
    Indicator(
        "rain", "flood",
        Text("Mưa lớn nhất trong 10 phút", "Heaviest rain in 10 minutes"),
        Text("Lượng mưa lớn nhất của các trạm.", "Largest rainfall of all gauges."),
        OfSeries("rain", "rainfall", figure="highest"), "/sensors/latest?kind=rain", _NO_SENSOR, "mm", 1,
        Limits(1.7, 8.3, source=Text("mưa to 10 mm/h, rất to 50 mm/h", "heavy 10 mm/h, violent 50 mm/h")),
    ),
    Indicator(
        "pumps_running", "drainage",
        Text("Máy bơm đang chạy", "Pumps running"),
        Text("Số máy bơm tiêu thoát nước đang bơm.", "Drainage pumps that are pumping."),
        OfSeries("pump", "pump_state", step=0.5), "/sensors/latest?kind=pump", _NO_SENSOR,
    ),
    Indicator(
        "alarms_open", "operations",
        Text("Báo động đang còn", "Open alarms"),
        Text("Báo động đang còn, theo mức ưu tiên.", "Alarms that stand, by priority."),
        "alarms", "/alarms", _NONE, limits=Limits(watch=1),
    ),
    Indicator(
        "alarms_unacknowledged", "operations",
        Text("Báo động chưa xác nhận", "Not acknowledged"),
        Text("Báo động chưa ai xác nhận.", "Alarms nobody has acknowledged."),
        "unacknowledged", "/alarms?state=UNACK,RTN-UNACK", _NONE, limits=Limits(watch=1, bad=10),
    ),
    Indicator(
        "traffic_incidents", "transport",
        Text("Sự cố giao thông", "Traffic incidents"),
        Text("Sự cố mà máy đếm xe nhận ra và đang còn.", "Incidents that counters noticed and that still stand."),
        "traffic_incidents", "/alarms?event=traffic-incident", _NONE, limits=Limits(watch=1, bad=3),
    ),
    Indicator(
        "other_incidents", "operations",
        Text("Sự cố khác", "Other incidents"),
        Text("Nhóm báo động cùng nguyên nhân, ngoài giao thông và rò rỉ.", "Alarms of one cause, other than traffic "
             "and leaks."),
        "other_incidents", "/alarms/incidents", _NONE, limits=Limits(watch=1, bad=5),
    ),
    Indicator(
        "congestion", "transport",
        Text("Đoạn đường ùn tắc", "Congested streets"),
        Text("Đoạn có máy đếm ở mức phục vụ E, F.", "Counted streets at level of service E or F."),
        OfSeries("traffic", "vehicle_speed", test="slow", step=0.40, urgent=0.30),
        "/sensors/latest?kind=traffic", _NO_SENSOR,
        limits=Limits(watch=1, source=Text("HCM 7, bảng 18-1", "HCM 7, exhibit 18-1")),
    ),
    Indicator(
        "free_parking", "parking",
        Text("Chỗ đỗ xe còn trống", "Free parking"),
        Text("Chỗ đỗ có cảm biến đang trống.", "Bays with a sensor that are free."),
        OfSeries("parking_bay", "bay_occupied", test="below", step=0.5), "/sensors/latest?kind=parking_bay",
        _NO_SENSOR, limits=Limits(0.2, 0.05, below=True, share=True),
    ),
    Indicator(
        "full_bins", "waste",
        Text("Thùng rác đầy", "Full bins"),
        Text("Thùng có cảm biến đầy từ 80 %.", "Bins with a sensor that are 80 % full or more."),
        OfSeries("bin_level", "filling_level", step=0.8), "/sensors/latest?kind=bin_level", _NO_SENSOR,
        limits=Limits(0.1, 0.3, share=True),
    ),
    Indicator(
        "lamps_failed", "lighting",
        Text("Đèn đường hỏng", "Lamps failed"),
        Text("Đèn, tủ có bộ điều khiển: phải sáng mà tắt, hoặc báo sáng mà không dùng điện.",
             "Lamps and cabinets with a controller that are dark when they should burn, or draw no power when lit."),
        "lamps_failed", "/sensors/latest?kind=light", _NO_SENSOR, limits=Limits(0.05, 0.2, share=True),
    ),
    Indicator(
        "air_pm25", "environment",
        Text("Bụi mịn PM2.5", "Fine dust PM2.5"),
        Text("Nồng độ giờ cao nhất của các trạm.", "Highest hourly concentration of all stations."),
        OfSeries("air_quality", "pm2p5", figure="highest"), "/sensors/latest?kind=air_quality", _NO_SENSOR, "ug/m3",
        limits=Limits(25, 50, source=_AIR),
    ),
    Indicator(
        "water_oxygen", "environment",
        Text("Oxy hòa tan thấp nhất", "Lowest dissolved oxygen"),
        Text("Trạm nước mặt có ít oxy hòa tan nhất.", "The surface-water station with the least oxygen."),
        OfSeries("water_quality", "dissolved_oxygen", figure="lowest"), "/sensors/latest?kind=water_quality",
        _NO_SENSOR, "mg/L", 1, Limits(5, 4, below=True, source=_SURFACE_WATER),
    ),
    Indicator(
        "water_salinity", "environment",
        Text("Độ mặn cao nhất", "Highest salinity"),
        Text("Trạm nước mặt mặn nhất.", "The saltiest surface-water station."),
        OfSeries("water_quality", "salinity", figure="highest"), "/sensors/latest?kind=water_quality", _NO_SENSOR,
        "[ppth]", 2, Limits(1, 4, source=Text("ranh mặn 1 ‰ và 4 ‰", "salinity lines of 1 ‰ and 4 ‰")),
    ),
    Indicator(
        "low_pressure", "water_supply",
        Text("Điểm áp lực nước thấp", "Low water pressure"),
        Text("Điểm đo dưới 100 kPa (10 m cột nước).", "Points below 100 kPa (10 m of water)."),
        OfSeries("water_pressure", "pressure", test="below", step=100.0), "/sensors/latest?kind=water_pressure",
        _NO_SENSOR, limits=Limits(watch=1, bad=3),
    ),
    Indicator(
        "pipe_leaks", "water_supply",
        Text("Ống nước rò rỉ", "Pipe leaks"),
        Text("Vùng có rò rỉ đang được báo.", "Zones in which a leak is told."),
        "leaks", "/alarms?event=leak", _NONE, limits=Limits(watch=1, bad=3),
    ),
    Indicator(
        "power_outages", "power",
        Text("Điểm đo mất điện", "Meters without power"),
        Text("Công tơ có điện áp dưới 50 V.", "Meters that read under 50 V."),
        OfSeries("electricity_meter", "voltage", test="below", step=50.0), "/sensors/latest?kind=electricity_meter",
        _NO_SENSOR, limits=Limits(watch=1, bad=3),
    ),
    Indicator(
        "work_orders_open", "operations",
        Text("Phiếu công việc chưa xong", "Open work orders"),
        Text("Phiếu mới và đã giao; quá hạn tính riêng.", "New and assigned orders; those overdue apart."),
        "work_orders", "/api/work-orders?status=open,assigned", _NONE,
    ),
    Indicator(
        "jobs_running", "operations",
        Text("Tính toán đang chạy", "Jobs running"),
        Text("Lần tính đang chạy và đang chờ.", "Runs at work and waiting."),
        "jobs", "/api/jobs", _NONE, limits=Limits(watch=20),
    ),
    Indicator(
        "sensors_fresh", "operations",
        Text("Số đo còn mới", "Fresh readings"),
        Text("Chuỗi số đo có số đo không cũ hơn ba chu kỳ của nó.", "Series whose newest reading is not older than "
             "three of its intervals."),
        "sensors_fresh", "/sensors/latest", _NO_SENSOR, "%", 0, Limits(95, 80, below=True),
    ),
    Indicator(
        "forecast_age", "operations",
        Text("Tuổi của dự báo", "Age of the forecast"),
        Text("Phút từ lần dự báo mực nước mới nhất.", "Minutes since the newest forecast of water levels."),
        "forecast_age", "/forecasts", Text("chưa có dự báo nào", "no forecast yet"), "min", 0, Limits(60, 180),
    ),
)  # fmt: skip

INDICATORS = {each.id: each for each in _ALL}
