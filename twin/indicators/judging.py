"""The state of an indicator and the reason for it, in words."""

from datetime import datetime

from layers.schema import Text
from twin.indicators.words import ORDER, Indicator, Limits, Measured, Reported, State

_UNIT_WORDS = {
    "{#}": Text("", ""),
    "{people}": Text(" người", " people"),
    "ug/m3": Text(" µg/m³", " µg/m³"),
    "[ppth]": Text(" ‰", " ‰"),
    "min": Text(" phút", " min"),
    "%": Text(" %", " %"),
}


def judge(indicator: Indicator, measured: Measured, recent: tuple[tuple[datetime, float | None], ...]) -> Reported:
    """Return an indicator with its state and why it is so."""
    if measured.value is None:
        return Reported(indicator, measured, "unknown", measured.note or indicator.missing, recent)
    judged = measured.value
    if indicator.limits.share:
        judged = measured.value / max(measured.count, 1)
    state = max(indicator.limits.judge(judged), measured.least, key=ORDER.index)
    return Reported(indicator, measured, state, _explain(indicator, measured, judged, state), recent)


def _explain(indicator: Indicator, measured: Measured, judged: float, state: State) -> Text:
    by_limits = indicator.limits.judge(judged)
    if state != by_limits:
        parts = [part for part in measured.parts if part.value]
        vi = ", ".join(f"{part.title.vi}: {part.value:.0f}" for part in parts) or "có mục khẩn"
        en = ", ".join(f"{part.title.en}: {part.value:.0f}" for part in parts) or "one of them is urgent"
        return Text(vi, en)
    limits = indicator.limits
    step = limits.bad if state == "bad" else limits.watch
    if step is None:
        return Text("không đặt ngưỡng", "no limits are set")
    if state == "good" and not limits.below and not measured.value:
        return Text("không có", "none")
    shown = _write_step(indicator, limits, step)
    if state == "good":
        sides = ("trên", "above") if limits.below else ("dưới", "below")
        return Text(f"{sides[0]} ngưỡng theo dõi {shown.vi}", f"{sides[1]} the watch limit of {shown.en}")
    names = ("xử lý", "act") if state == "bad" else ("theo dõi", "watch")
    return Text(f"đã tới ngưỡng {names[0]} {shown.vi}", f"at the {names[1]} limit of {shown.en}")


def _write_step(indicator: Indicator, limits: Limits, step: float) -> Text:
    if limits.share:
        return Text(f"{step * 100:.0f} %", f"{step * 100:.0f} %")
    if indicator.unit == "m2":
        return Text(f"{step / 1e4:g} ha", f"{step / 1e4:g} ha")
    unit = _UNIT_WORDS.get(indicator.unit, Text(f" {indicator.unit}", f" {indicator.unit}"))
    return Text(f"{step:g}".replace(".", ",") + unit.vi, f"{step:g}{unit.en}")
