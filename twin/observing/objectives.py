"""What the twin promises: objectives, each with its target, and how it is counted and written in PromQL."""

from dataclasses import dataclass

from layers.schema import Text

DAYS = 30
"""An objective is judged over so many days."""
TILE_S = 0.25
DELIVERY_S = 60.0
FORECAST_S = 1800.0


@dataclass(frozen=True, slots=True)
class Objective:
    """Of all chances at least the share ``target`` is good; ``good`` and ``expression`` say which those are."""

    id: str
    title: Text
    good: Text
    target: float
    unit: Text
    expression: str


OBJECTIVES: dict[str, Objective] = {
    each.id: each
    for each in (
        Objective(
            "sensor-freshness",
            Text("Số đo mới", "Fresh readings"),
            Text(
                "chuỗi số đo có giá trị trong ba chu kỳ gần nhất của nó (một giờ nếu không rõ chu kỳ)",
                "series with a reading within the last three of their periods (an hour where the period is not known)",
            ),
            0.95,
            Text("chuỗi × phút", "series × minutes"),
            "max(twin_series_fresh_ratio)",
        ),
        Objective(
            "forecast-age",
            Text("Dự báo còn mới", "Recent forecast"),
            Text(
                "phút mà dự báo mới nhất chưa quá 30 phút", "minutes in which the newest forecast is under 30 min old"
            ),
            0.99,
            Text("phút", "minutes"),
            f"max(twin_forecast_age_seconds) < bool {FORECAST_S:.0f}",
        ),
        Objective(
            "tiles",
            Text("Ô bản đồ nhanh", "Fast tiles"),
            Text("ô bản đồ trả lời trong 0,25 s (p95 ≤ 0,25 s)", "tiles answered within 0.25 s (p95 ≤ 0.25 s)"),
            0.95,
            Text("ô bản đồ", "tiles"),
            f'sum(rate(twin_request_duration_seconds_bucket{{kind="tile",le="{TILE_S}"}}[5m])) '
            '/ sum(rate(twin_request_duration_seconds_count{kind="tile"}[5m]))',
        ),
        Objective(
            "availability",
            Text("Trả lời được", "Availability"),
            Text("yêu cầu không gặp lỗi của máy chủ (5xx)", "requests without a fault of the server (5xx)"),
            0.995,
            Text("yêu cầu", "requests"),
            '1 - (sum(rate(twin_requests_total{kind!="health",status=~"5.."}[5m])) or vector(0)) '
            '/ sum(rate(twin_requests_total{kind!="health"}[5m]))',
        ),
        Objective(
            "warning-delivery",
            Text("Cảnh báo đến nơi", "Warnings delivered"),
            Text("thông báo gửi xong trong 60 giây", "notices delivered within 60 seconds"),
            0.99,
            Text("thông báo", "notices"),
            "max(twin_deliveries_on_time_ratio)",
        ),
    )
}
