"""The page of objectives: each with its state, its figures and thirty days as bars."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from api.pages.parts import Shown, both, both_of, facts, heading, section, show_number, write_page

_SIGNS = {"met": "✓", "risk": "!", "missed": "✗", "unknown": "–"}
_WIDTH, _GAP, _HEIGHT = 14, 4, 48
_LEAST = 0.12
PAGE_STYLE = """
.state{font-weight:600}.days{width:100%;max-width:36rem;height:auto;display:block;margin:10px 0}
.days rect{fill:var(--accent)}.days rect.bad{fill:none;stroke:var(--ink);stroke-width:2}
.days rect.none{fill:var(--line)}.days .target{stroke:var(--ink);stroke-dasharray:4 3}
details code{display:block;padding:8px 0;white-space:pre-wrap}
"""


def write_objectives(document: Mapping[str, Any], _shown: Shown) -> str:
    """Return the page of ``/slo``."""
    days, measured = document["days"], document["measured"]
    said = both(
        f"Đo được {_percent(measured)} thời gian. Ngân sách là phần còn được phép không đạt trong {days} ngày.",
        f"Measured {_percent(measured)} of the time. The budget is what may still go wrong within {days} days.",
    )
    parts = [
        f"<style>{PAGE_STYLE}</style>",
        heading("Mục tiêu dịch vụ", "Service level objectives", 1),
        f"<p class='note'>{said}</p>",
    ]
    parts += [_write_one(each, days) for each in document["objectives"]]
    return write_page("Mục tiêu dịch vụ", parts)


def _write_one(objective: Mapping[str, Any], days: int) -> str:
    state = f"<span class='state'>{_SIGNS[objective['state']]} {both_of(objective['state_title'])}</span>"
    rows = [
        (both("Tình trạng", "State"), state),
        (both("Mục tiêu", "Target"), f"≥ {show_number(100 * objective['target'])} % · {both_of(objective['good'])}"),
        (both("Hai giờ qua", "Last two hours"), _figure(objective["now"], objective)),
        (both("24 giờ", "24 hours"), _figure(objective["day"], objective)),
        (both(f"{days} ngày", f"{days} days"), _figure(objective["month"], objective)),
        (both("Ngân sách còn", "Budget left"), _percent(objective["budget_left"])),
    ]
    asked = f"<details><summary>PromQL</summary><code>{escape(objective['expression'])}</code></details>"
    title = objective["title"]
    return section(
        heading(title["vi"], title["en"]), facts(rows), _draw(objective["by_day"], objective["target"]), asked
    )


def _draw(days: Sequence[Mapping[str, Any]], target: float) -> str:
    """Return thirty days as bars from twice as bad as the target up to all good; what missed it is hollow."""
    low = max(1.0 - 2.0 * (1.0 - target), 0.0)
    bars = []
    for k, day in enumerate(days):
        ratio = day["ratio"]
        share = _LEAST if ratio is None else max((ratio - low) / (1.0 - low), _LEAST)
        kind = "none" if ratio is None else "bad" if ratio < target else ""
        words = escape(f"{day['day']}: {_percent(ratio)}")
        high = _HEIGHT * share
        bars.append(
            f"<rect class='{kind}' x='{k * (_WIDTH + _GAP)}' y='{_HEIGHT - high:.1f}' width='{_WIDTH}' "
            f"height='{high:.1f}'><title>{words}</title></rect>"
        )
    width = len(days) * (_WIDTH + _GAP)
    at = _HEIGHT * (1.0 - (target - low) / (1.0 - low))
    missed = sum(day["ratio"] is not None and day["ratio"] < target for day in days)
    label = escape(f"{len(days)} ngày: {missed} ngày không đạt — {len(days)} days: {missed} missed")
    line = f"<line class='target' x1='0' x2='{width}' y1='{at:.1f}' y2='{at:.1f}'/>"
    return (
        f"<svg class='days' role='img' aria-label='{label}' viewBox='0 0 {width} {_HEIGHT}'>{''.join(bars)}{line}</svg>"
    )


def _figure(counted: Mapping[str, Any], objective: Mapping[str, Any]) -> str:
    if counted["ratio"] is None:
        return both("không có", "none")
    sign = f"{_SIGNS['missed']} " if counted["ratio"] < objective["target"] else ""
    many = f"{counted['total']:,.0f}".replace(",", ".")
    return f"{sign}{_percent(counted['ratio'])} · {many} {both_of(objective['unit'])}"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100.0 * share:.2f} %".replace(".", ",")
