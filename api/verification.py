"""The verification page: how good the forecasts of a gauge were, in words, tables and charts, without a script."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from api.chart_style import STYLE
from api.charts import Band, Chart, Line, choose_ticks, draw_chart
from hydrology.forecast import LEVELS
from twin.forecasts.verifying import LeadSkill, PeakSkill, Skill
from twin.store_forecasts import Issue, StageGauge, Values

Floats = NDArray[np.float64]

_MODELS = {
    "harmonic-residual": ("Triều điều hòa và phần dư", "Harmonic tide and residual"),
    "harmonic": ("Chỉ triều điều hòa, trạm đang im lặng", "Harmonic tide only, the gauge is silent"),
    "persistence": ("Giữ nguyên mực nước, chuỗi số đo quá ngắn", "Persistence, the record is too short"),
}
_ROMAN = ("I", "II", "III")


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """What the page shows: the gauges to choose from, the one chosen, its issues and readings, its skill, the loop."""

    title: str
    zone: ZoneInfo
    gauges: Sequence[StageGauge]
    chosen: StageGauge
    newest: Issue
    issues: Sequence[tuple[Issue, Values]]
    times: Floats
    stages: Floats
    skill: Skill
    loop: dict[str, Any] | None


def write_page(page: Page) -> str:
    """Return the page as HTML; Vietnamese first, English beside it."""
    body = [
        "<h1>Kiểm chứng dự báo mực nước <span class='en' lang='en'>Verification of stage forecasts</span></h1>",
        f"<p>{escape(page.title)}</p>",
        _list_gauges(page),
        _write_newest(page),
        "<div class='two'>",
        _write_skill(page.skill),
        _write_reliability(page.skill),
        "</div>",
        _write_table(page.skill),
        _write_peaks(page.skill),
        _write_loop(page),
    ]
    return (
        "<!doctype html><html lang='vi'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width,initial-scale=1'>"
        f"<title>Kiểm chứng dự báo — {escape(page.title)}</title><style>{STYLE}</style></head>"
        f"<body><main>{''.join(body)}</main></body></html>"
    )


def write_empty_page(title: str) -> str:
    """Return the page of a city that has no forecast yet."""
    return (
        "<!doctype html><html lang='vi'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width,initial-scale=1'>"
        f"<title>Kiểm chứng dự báo — {escape(title)}</title><style>{STYLE}</style></head><body><main>"
        "<h1>Chưa có dự báo nào <span class='en' lang='en'>No forecast yet</span></h1><section><p>Dự báo được phát mỗi "
        "mười phút khi có số đo mực nước. Phát ngay: <code>twin forecast issue</code></p><p lang='en'>Forecasts are "
        "issued every ten minutes once there are readings of a stage. To issue now: <code>twin forecast issue</code>"
        "</p></section></main></body></html>"
    )


def _heading(vi: str, en: str) -> str:
    return f"<h2>{escape(vi)} <span class='en' lang='en'>{escape(en)}</span></h2>"


def _list_gauges(page: Page) -> str:
    links = []
    for gauge in page.gauges:
        here = " aria-current='page'" if gauge.datastream_id == page.chosen.datastream_id else ""
        address = f"?datastream={escape(gauge.datastream_id, quote=True)}"
        links.append(f'<a href="{address}"{here}>{escape(gauge.name)}</a>')
    return f"<nav aria-label='Trạm — gauges'>{''.join(links)}</nav>"


def _write_newest(page: Page) -> str:
    newest, values = page.issues[0]
    vi, en = _MODELS.get(newest.model, (newest.model, newest.model))
    top = int(np.argmax(values.quantiles[:, 3]))
    q = values.quantiles[top]
    facts = [
        ("Phát lúc", "Issued", _show_time(newest.issue_time, page.zone)),
        ("Số đo mới nhất", "Newest reading", _show_time(newest.origin, page.zone)),
        ("Mô hình", "Model", f"{vi} <span class='en' lang='en'>{en}</span>"),
        (
            "Đỉnh trong 48 giờ",
            "Highest in 48 h",
            f"{_show(q[3])} m ({_show(q[1])}–{_show(q[5])}), "
            f"{_show_time(datetime.fromtimestamp(float(values.times[top]), UTC), page.zone)}",
        ),
    ]
    rows = "".join(f"<dt>{v} <span class='en' lang='en'>{e}</span></dt><dd>{words}</dd>" for v, e, words in facts)
    key = (
        "<p class='key'><span class='k-measured'>Thực đo <i lang='en'>measured</i></span>"
        "<span class='k-forecast'>Trung vị, dải 10–90 % <i lang='en'>median, 10–90 % band</i></span>"
        "<span class='k-forecast'>Nét mảnh: các bản tin trước <i lang='en'>thin: earlier issues</i></span></p>"
    )
    return (
        f"<section>{_heading('Bản tin gần đây và thực đo', 'Last issues against what came')}<dl>{rows}</dl>"
        f"<div class='wide'>{_draw_newest(page)}</div>{key}</section>"
    )


def _draw_newest(page: Page) -> str:
    newest, values = page.issues[0]
    first, last = newest.issue_time.timestamp() - 48 * 3600.0, float(values.times[-1])
    shown = (page.times >= first) & (page.times <= last)
    lines = [Line(page.times[shown], page.stages[shown], "measured")]
    lines += [
        Line(own.times, own.quantiles[:, 3], "earlier")
        for issue, own in page.issues[1:]
        if issue.issue_time.timestamp() >= first
    ]
    lines.append(Line(values.times, values.quantiles[:, 3], "forecast"))
    band = Band(values.times, values.quantiles[:, 1], values.quantiles[:, 5], "forecast")
    heights = np.concatenate([line.y[(line.x >= first)] for line in lines] + [band.low, band.high])
    levels = [(level, f"BĐ {_ROMAN[k]}") for k, level in enumerate(page.chosen.alarm_levels) if level is not None]
    low, high = float(np.nanmin(heights)), float(np.nanmax(heights))
    margin = 0.06 * max(high - low, 0.1)
    day = 12 * 3600.0
    offset = datetime.fromtimestamp(first, page.zone).utcoffset()
    shift = 0.0 if offset is None else offset.total_seconds()
    ticks = np.arange(np.ceil((first + shift) / day) * day, last + shift, day) - shift
    return draw_chart(
        Chart(
            "Mực nước dự báo và thực đo — stage forecast and measured",
            [(float(at), datetime.fromtimestamp(float(at), page.zone).strftime("%d/%m %Hh")) for at in ticks],
            [(value, f"{value:.1f}".replace(".", ",")) for value in choose_ticks(low - margin, high + margin)],
            lines,
            [band],
            levels,
            (first, last),
            (low - margin, high + margin),
        )
    )


def _write_skill(skill: Skill) -> str:
    heading = _heading("Sai số theo thời gian dự báo", "Error by lead")
    if not skill.leads:
        return f"<section>{heading}{_nothing()}</section>"
    x = np.log2(np.array([lead.lead / 3600.0 for lead in skill.leads]))
    lines = [
        Line(x, np.array([lead.rmse for lead in skill.leads]), "forecast", dots=True),
        Line(x, _fill(lead.rmse_persistence for lead in skill.leads), "persistence", dots=True),
        Line(x, _fill(lead.rmse_tide for lead in skill.leads), "tide", dots=True),
    ]
    high = 1.05 * float(np.nanmax(np.concatenate([line.y for line in lines])))
    chart = Chart(
        "RMSE",
        [(float(a), f"{lead.lead / 3600.0:g} h") for a, lead in zip(x, skill.leads, strict=True)],
        [(value, f"{value:g}".replace(".", ",")) for value in choose_ticks(0.0, high)],
        lines,
        x_range=(-0.3, float(max(x.max(), 1.0)) + 0.3),
        y_range=(0.0, high),
    )
    key = (
        "<p class='key'><span class='k-forecast'>Dự báo <i lang='en'>forecast</i></span><span class='k-persistence'>"
        "Giữ nguyên <i lang='en'>persistence</i></span><span class='k-tide'>Chỉ triều <i lang='en'>tide only</i></span>"
        "<span>RMSE, m</span></p>"
    )
    return f"<section>{heading}<div class='wide'>{draw_chart(chart)}</div>{key}</section>"


def _write_reliability(skill: Skill) -> str:
    heading = _heading("Độ tin cậy của xác suất", "Reliability")
    if not skill.leads:
        return f"<section>{heading}{_nothing()}</section>"
    levels = np.array(LEVELS)
    lines = [Line(np.array([0.0, 1.0]), np.array([0.0, 1.0]), "ideal")]
    for hours, kind in ((1.0, "forecast"), (6.0, "tide"), (24.0, "persistence")):
        found = next((lead for lead in skill.leads if lead.lead == hours * 3600.0), None)
        if found is not None:
            lines.append(Line(levels, np.array(found.reliability), kind, dots=True))
    ticks = [(value, f"{value:.0%}") for value in (0.0, 0.25, 0.5, 0.75, 1.0)]
    chart = Chart("Độ tin cậy — reliability", ticks, ticks, lines, y_range=(-0.02, 1.02))
    key = (
        "<p class='key'><span class='k-forecast'>1 h</span><span class='k-tide'>6 h</span><span class='k-persistence'>"
        "24 h</span><span class='k-ideal'>Lý tưởng <i lang='en'>ideal</i></span>"
        "Ngang: phân vị; dọc: tần suất thực đo không vượt <i lang='en'>across: quantile; up: share at or below</i></p>"
    )
    return f"<section>{heading}<div class='wide'>{draw_chart(chart)}</div>{key}</section>"


def _write_table(skill: Skill) -> str:
    heading = _heading("Bảng kiểm chứng", "Scores")
    if not skill.leads:
        return ""
    names = (
        ("Trước", "lead"), ("Số bản tin", "issues"), ("RMSE, m", ""), ("Lệch, m", "bias"), ("CRPS, m", ""),
        ("Trong dải 10–90 %", "in the band"), ("POD", "detected"), ("FAR", "false"), ("CSI", ""),
    )  # fmt: skip
    head = "".join(f"<th>{vi}<br><span class='en' lang='en'>{en}</span></th>" for vi, en in names)
    rows = "".join(_write_lead(lead) for lead in skill.leads)
    first = (
        f"<p>Báo đúng đầu tiên: trung vị {_show(skill.first_right_hours, 0)} giờ trước, {skill.crossings} lần vượt báo "
        f"động I. <span class='en' lang='en'>First right warning: median {skill.first_right_hours:g} h ahead of "
        f"{skill.crossings} crossings of alarm level I.</span></p>"
        if skill.first_right_hours is not None
        else ""
    )
    return f"<section>{heading}<div class='wide'><table><tr>{head}</tr>{rows}</table></div>{first}</section>"


def _write_lead(lead: LeadSkill) -> str:
    told = lead.warned
    shares = ("—", "—", "—") if told is None else tuple(_show(value) for value in (told.pod, told.far, told.csi))
    cells = (
        f"{lead.lead / 3600.0:g} h", str(lead.count), _show(lead.rmse, 3), _show(lead.bias, 3), _show(lead.crps, 3),
        f"{lead.inside:.0%}", *shares,
    )  # fmt: skip
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _write_peaks(skill: Skill) -> str:
    if not skill.peaks:
        return ""
    names = (
        ("Trước khoảng", "about ahead"), ("Số đỉnh", "high waters"), ("Lệch, m", "bias"), ("RMSE, m", ""),
        ("Muộn, phút", "late, min"), ("RMSE, phút", "min"),
    )  # fmt: skip
    head = "".join(f"<th>{vi}<br><span class='en' lang='en'>{en}</span></th>" for vi, en in names)
    rows = "".join(_write_peak(peak) for peak in skill.peaks)
    heading = _heading("Đỉnh triều: độ cao và thời điểm", "High waters: height and time")
    return f"<section>{heading}<div class='wide'><table><tr>{head}</tr>{rows}</table></div></section>"


def _write_peak(peak: PeakSkill) -> str:
    cells = (
        f"{peak.lead / 3600.0:g} h", str(peak.count), _show(peak.height_bias, 3), _show(peak.height_rmse, 3),
        _show(peak.time_bias / 60.0, 0), _show(peak.time_rmse / 60.0, 0),
    )  # fmt: skip
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _write_loop(page: Page) -> str:
    heading = _heading("Vòng lặp: từ số đo đến xác suất ngập", "The loop: from readings to probability of water")
    loop = page.loop
    if loop is None:
        return ""
    late = loop["late_since"]
    facts = [
        ("Lần chạy gần nhất", "Last started", _show_moment(loop["last_started"], page.zone)),
        ("Xong gần nhất", "Last finished", _show_moment(loop["last_finished"], page.zone)),
        ("Bỏ qua vì", "Skipped because", escape(loop["skipped_why"] or "—")),
        ("Trạng thái", "Status", escape(loop["status"] or "—")),
        ("Trễ từ", "Late since", f"<span class='late'>{_show_moment(late, page.zone)}</span>" if late else "—"),
    ]
    rows = "".join(f"<dt>{v} <span class='en' lang='en'>{e}</span></dt><dd>{words}</dd>" for v, e, words in facts)
    wards = "".join(
        f"<tr><td>{escape(row['ward_name'])}</td><td>{row['buildings']}</td><td>{row['people']}</td>"
        f"<td>{_show(row['depth_max'])}</td><td>{_show_moment(row['first_water'], page.zone)}</td></tr>"
        for row in loop["wards"]
    )
    table = (
        "<div class='wide'><table><tr><th>Phường, xã<br><span class='en' lang='en'>ward</span></th><th>Nhà<br><span "
        "class='en' lang='en'>buildings</span></th><th>Người<br><span class='en' lang='en'>people</span></th><th>Sâu "
        "nhất, m<br><span class='en' lang='en'>deepest</span></th><th>Nước đến lúc<br><span class='en' lang='en'>first "
        f"water</span></th></tr>{wards}</table></div>"
        if wards
        else ""
    )
    return f"<section>{heading}<dl>{rows}</dl>{table}</section>"


def _nothing() -> str:
    return "<p>Chưa có bản tin nào đến lúc đối chiếu. <span class='en' lang='en'>No issue has come due yet.</span></p>"


def _fill(values: Any) -> Floats:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _show(value: float | None, digits: int = 2) -> str:
    if value is None or not np.isfinite(value):
        return "—"
    return f"{value:.{digits}f}".replace(".", ",").replace("-", "\u2212")


def _show_time(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime("%H:%M %d/%m/%Y")


def _show_moment(moment: datetime | None, zone: ZoneInfo) -> str:
    return "—" if moment is None else _show_time(moment, zone)
