"""The Grafana dashboard, made from a table of panels: titles in two languages, expressions, units."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from layers.schema import Text
from twin.observing.objectives import OBJECTIVES
from twin.settings import ROOT

PATH = ROOT / "deploy" / "grafana" / "dashboards" / "city-twin.json"
_COLUMNS, _HEIGHT = 24, 7
_SOURCE = {"type": "prometheus", "uid": "${source}"}


class Panel(NamedTuple):
    """A panel: its title, what it draws (expression, legend), the unit in Grafana's word, its kind and width of 24."""

    title: Text
    queries: Sequence[tuple[str, str]]
    unit: str = "short"
    kind: str = "timeseries"
    width: int = 8


def _quantile(share: float, metric: str, by: str = "", where: str = "") -> str:
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({share}, sum by ({labels}) (rate({metric}_bucket{where}[5m])))"


ROWS: Sequence[tuple[Text, Sequence[Panel]]] = (
    (
        Text("Mục tiêu", "Objectives"),
        [Panel(each.title, [(each.expression, each.id)], "percentunit", "stat", 4) for each in OBJECTIVES.values()]
        + [Panel(Text("Máy chủ", "Servers up"), [('sum(up{job="twin"})', "up")], "short", "stat", 4)],
    ),
    (
        Text("Yêu cầu", "Requests"),
        [
            Panel(
                Text("Yêu cầu mỗi giây theo loại", "Requests a second by kind"),
                [("sum by (kind) (rate(twin_requests_total[5m]))", "{{kind}}")],
                "reqps",
            ),
            Panel(
                Text("Thời gian trả lời p95", "Time to answer, p95"),
                [(_quantile(0.95, "twin_request_duration_seconds", "kind"), "{{kind}}")],
                "s",
            ),
            Panel(
                Text("Lỗi và từ chối mỗi giây", "Faults and refusals a second"),
                [
                    ('sum by (status) (rate(twin_requests_total{status=~"[45].."}[5m]))', "{{status}}"),
                    ("sum by (reason) (rate(twin_requests_refused_total[5m]))", "{{reason}}"),
                ],
                "reqps",
            ),
            Panel(
                Text("Chậm nhất theo đường dẫn (p95)", "Slowest routes (p95)"),
                [(f"topk(10, {_quantile(0.95, 'twin_request_duration_seconds', 'route')})", "{{route}}")],
                "s",
                width=12,
            ),
            Panel(
                Text("Đang trả lời", "Being answered"),
                [("sum(twin_requests_in_progress)", "requests")],
                width=6,
            ),
            Panel(
                Text("Kết nối tới cơ sở dữ liệu", "Connections of the servers"),
                [('sum by (pool, state) (twin_pool_connections{state!="limit"})', "{{pool}} {{state}}")],
                width=6,
            ),
        ],
    ),
    (
        Text("Ô bản đồ và ảnh", "Tiles and pictures"),
        [
            Panel(
                Text("Tỷ lệ có sẵn", "Share that was ready"),
                [
                    (
                        "sum by (cache) (rate(twin_cache_hits_total[5m])) / (sum by (cache) "
                        "(rate(twin_cache_hits_total[5m])) + sum by (cache) (rate(twin_cache_misses_total[5m])))",
                        "{{cache}}",
                    )
                ],
                "percentunit",
                width=6,
            ),
            Panel(
                Text("Thời gian tạo p95", "Time to make, p95"),
                [
                    (_quantile(0.95, "twin_tile_make_duration_seconds", "cache"), "{{cache}}"),
                    (_quantile(0.95, "twin_tile_sql_duration_seconds"), "SQL"),
                ],
                "s",
                width=6,
            ),
            Panel(
                Text("Ô bị cắt bớt mỗi giây", "Truncated tiles a second"),
                [("sum(rate(twin_tiles_truncated_total[5m]))", "truncated")],
                width=6,
            ),
            Panel(Text("Bộ nhớ", "Memory"), [("sum by (cache) (twin_cache_bytes)", "{{cache}}")], "decbytes", width=6),
        ],
    ),
    (
        Text("Tính toán", "Work"),
        [
            Panel(
                Text("Hàng đợi", "Queue"),
                [("max by (task, status) (twin_queue_jobs)", "{{task}} {{status}}")],
            ),
            Panel(Text("Chờ lâu nhất", "Longest wait"), [("max(twin_queue_oldest_age_seconds)", "oldest")], "s"),
            Panel(
                Text("Lần tính trong ngày", "Runs of the day"),
                [("sum by (status) (max by (process, status) (twin_runs_last_day))", "{{status}}")],
            ),
            Panel(
                Text("Thời gian của lần tính mới nhất", "Time the newest run took"),
                [("max by (process) (twin_run_duration_seconds)", "{{process}}")],
                "s",
            ),
            Panel(
                Text("Sai số cân bằng nước", "Error of the account of water"),
                [("max by (process) (twin_run_mass_balance_error_ratio)", "{{process}}")],
                "percentunit",
            ),
            Panel(
                Text("Việc xong và hỏng", "Jobs done and failed"),
                [("sum by (task, outcome) (rate(twin_job_duration_seconds_count[15m]))", "{{task}} {{outcome}}")],
                "ops",
            ),
        ],
    ),
    (
        Text("Số đo", "Readings"),
        [
            Panel(
                Text("Tỷ lệ chuỗi còn mới theo loại", "Share of fresh series by kind"),
                [("max by (kind) (twin_series_fresh / twin_series)", "{{kind}}")],
                "percentunit",
            ),
            Panel(
                Text("Số đo của hai giờ qua", "Readings of the last two hours"),
                [("max by (fate) (twin_telemetry_readings_recent)", "{{fate}}")],
            ),
            Panel(
                Text("Độ trễ tới kho", "From reading to store"),
                [
                    ("max(twin_telemetry_lag_median_seconds)", "median"),
                    ("max(twin_telemetry_lag_max_seconds)", "max"),
                ],
                "s",
            ),
            Panel(
                Text("MQTT: thông điệp mỗi giây", "MQTT: messages a second"),
                [
                    ("max(rate(twin_ingest_messages_total[5m]))", "stored"),
                    ("max(rate(twin_ingest_spilled_messages_total[5m]))", "spilled"),
                ],
                "ops",
            ),
            Panel(Text("Giữ tạm trên đĩa", "Kept on disk"), [("max(twin_ingest_spill_bytes)", "spill")], "decbytes"),
            Panel(
                Text("Broker và số đo bị loại", "Broker, rejected messages"),
                [
                    ("max(twin_ingest_connected)", "connected"),
                    ("max(twin_telemetry_rejected_messages)", "rejected, open"),
                ],
            ),
        ],
    ),
    (
        Text("Dự báo, cảnh báo", "Forecasts, alarms, warnings"),
        [
            Panel(
                Text("Tuổi của dự báo và vòng lặp", "Age of forecast and loop"),
                [
                    ("max(twin_forecast_age_seconds)", "forecast"),
                    ("max(twin_forecast_loop_age_seconds)", "loop"),
                    ("max(twin_forecast_loop_late_seconds)", "late"),
                ],
                "s",
            ),
            Panel(
                Text("Sai số dự báo theo thời hạn", "Error of the forecast by lead"),
                [("max by (lead) (twin_forecast_rmse_metres)", "{{lead}}")],
                "lengthm",
            ),
            Panel(
                Text("Vòng lặp trong ngày", "Turns of the loop within a day"),
                [("max by (status) (twin_forecast_loop_runs_last_day)", "{{status}}")],
            ),
            Panel(
                Text("Cảnh báo đang có", "Standing alarms"),
                [("max by (priority) (twin_alarms_standing)", "{{priority}}")],
            ),
            Panel(
                Text("Chưa xác nhận", "Not acknowledged"),
                [("max by (priority) (twin_alarms_unacknowledged)", "{{priority}}")],
            ),
            Panel(
                Text("Cảnh báo đã phát và thông báo", "Warnings and notices"),
                [
                    ("max by (status) (twin_warnings_in_force)", "{{status}}"),
                    ("max by (state) (twin_deliveries_last_day)", "{{state}}"),
                    ("max(twin_warning_drafts_open)", "drafts"),
                    ("max(twin_outbox_unspread)", "not looked up"),
                ],
            ),
        ],
    ),
    (
        Text("Cơ sở dữ liệu và máy", "Database and machine"),
        [
            Panel(
                Text("Kết nối", "Connections"),
                [
                    ("max by (state) (twin_database_connections)", "{{state}}"),
                    ("max(twin_database_connections_limit)", "limit"),
                ],
            ),
            Panel(
                Text("Giao dịch mở lâu nhất", "Oldest transaction"),
                [("max(twin_database_oldest_transaction_age_seconds)", "oldest")],
                "s",
            ),
            Panel(Text("Kích thước", "Size"), [("max(twin_database_size_bytes)", "database")], "decbytes"),
            Panel(
                Text("Trễ của bản sao", "Lag of replicas"),
                [("max by (replica) (twin_replication_lag_seconds)", "{{replica}}")],
                "s",
            ),
            Panel(
                Text("Đĩa còn trống", "Room on disks"),
                [("min by (place) (twin_disk_free_bytes / twin_disk_size_bytes)", "{{place}}")],
                "percentunit",
            ),
            Panel(
                Text("Bộ nhớ của tiến trình", "Memory of processes"),
                [("sum by (part) (max by (part, machine, pid) (twin_process_resident_memory_bytes))", "{{part}}")],
                "decbytes",
            ),
            Panel(
                Text("Bộ xử lý của tiến trình", "Processors used"),
                [
                    (
                        "sum by (part) (max by (part, machine, pid) (rate(twin_process_cpu_seconds_total[5m])))",
                        "{{part}}",
                    )
                ],
            ),
            Panel(
                Text("Tiến trình", "Processes"),
                [("max by (part) (twin_processes_alive)", "{{part}}")],
            ),
        ],
    ),
    (
        Text("Bảo vệ", "Protection"),
        [
            Panel(
                Text("Tuổi sao lưu, thử khôi phục, nhật ký", "Age of backup, drill, archived log"),
                [
                    ("max(twin_backup_age_seconds)", "backup"),
                    ("max(twin_drill_age_seconds)", "drill"),
                    ("max(twin_wal_archive_age_seconds)", "log"),
                ],
                "s",
            ),
            Panel(
                Text("Kiểm toán chờ niêm phong, chờ chuyển", "Audit: unsealed, not shipped"),
                [
                    ("max(twin_audit_unsealed_entries)", "unsealed"),
                    ("max(twin_audit_unshipped_entries)", "not shipped"),
                ],
            ),
            Panel(
                Text("Đăng nhập trong một giờ", "Attempts to sign in within an hour"),
                [("max by (outcome) (twin_sign_ins_last_hour)", "{{outcome}}")],
            ),
        ],
    ),
)


def build_dashboard() -> dict[str, Any]:
    """Return the dashboard as Grafana imports it."""
    panels: list[dict[str, Any]] = []
    y = 0
    for title, row in ROWS:
        panels.append(
            {
                "id": len(panels) + 1, "type": "row", "title": _both(title), "collapsed": False, "panels": [],
                "gridPos": {"x": 0, "y": y, "w": _COLUMNS, "h": 1},
            }
        )  # fmt: skip
        y, x = y + 1, 0
        for panel in row:
            if x + panel.width > _COLUMNS:
                x, y = 0, y + _HEIGHT
            place = {"x": x, "y": y, "w": panel.width, "h": _HEIGHT}
            panels.append(_build_panel(panel, len(panels) + 1, place))
            x += panel.width
        y += _HEIGHT
    return {
        "uid": "city-twin", "title": "Bản sao số thành phố — City twin", "tags": ["city-twin"], "timezone": "browser",
        "schemaVersion": 39, "version": 1, "refresh": "30s", "editable": True, "graphTooltip": 1,
        "time": {"from": "now-6h", "to": "now"}, "annotations": {"list": []}, "links": [],
        "templating": {
            "list": [
                {
                    "name": "source", "type": "datasource", "query": "prometheus", "label": "Prometheus", "hide": 0,
                    "refresh": 1, "regex": "", "multi": False, "includeAll": False, "options": [], "current": {},
                }
            ]
        },
        "panels": panels,
    }  # fmt: skip


def _build_panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    targets = [
        {"refId": chr(65 + k), "expr": expression, "legendFormat": legend, "datasource": _SOURCE}
        for k, (expression, legend) in enumerate(panel.queries)
    ]
    if panel.kind == "stat":
        options: dict[str, Any] = {
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "colorMode": "value", "graphMode": "area", "textMode": "value",
        }  # fmt: skip
    else:
        options = {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}}
    return {
        "id": number, "type": panel.kind, "title": _both(panel.title), "datasource": _SOURCE, "gridPos": place,
        "targets": targets, "options": options,
        "fieldConfig": {"defaults": {"unit": panel.unit, "custom": {}}, "overrides": []},
    }  # fmt: skip


def _both(text: Text) -> str:
    return f"{text.vi} · {text.en}"


def write_dashboard(path: Path = PATH) -> None:
    """Write the dashboard's file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(build_dashboard(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
