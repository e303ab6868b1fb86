"""One condition of a rule: a signal against limits with hysteresis and delays.

A delay counts from reading to reading: the condition comes on when readings show the signal beyond the limit from
first to last for at least the delay, so a single spike never passes a delay, and none that lasts longer is missed.
"""

from twin.alarms.rules import (
    Condition,
    ForecastCondition,
    IncidentCondition,
    LeakCondition,
    LimitCondition,
    RateCondition,
)
from twin.alarms.state import ConditionState

TOLERANCE_S = 1e-6
_HISTORY_STEPS = 60

Limited = LimitCondition | RateCondition | ForecastCondition | LeakCondition | IncidentCondition


def judge(condition: Limited, state: ConditionState, time: float, signal: float) -> bool:
    """Take in the signal at ``time`` [s] and return whether the condition changed sides."""
    state.value = signal
    off = condition.on if condition.off is None else condition.off
    above = condition.direction == "above"
    if state.on:
        opposite, delay = (signal < off if above else signal > off), condition.off_delay_s
    else:
        opposite, delay = (signal >= condition.on if above else signal <= condition.on), condition.on_delay_s
    if not opposite:
        state.since = None
        return False
    if state.since is None:
        state.since = time
    if time - state.since < delay - TOLERANCE_S:
        return False
    state.on, state.since = not state.on, None
    return True


def read_rate(history: list[tuple[float, float]], window_s: float, time: float, value: float) -> float | None:
    """Return the rise over the window that ends now, in units an hour; None while less than half of it is known."""
    start = next(((at, level) for at, level in history if at >= time - window_s - TOLERANCE_S), None)
    if start is None or time - start[0] < window_s / 2.0:
        return None
    return (value - start[1]) / (time - start[0]) * 3600.0


def keep_history(history: list[tuple[float, float]], window_s: float, time: float, value: float) -> None:
    """Add a value to what rates look back on; at most about sixty of a window are kept."""
    while history and history[0][0] < time - window_s - TOLERANCE_S:
        history.pop(0)
    if not history or time - history[-1][0] >= window_s / _HISTORY_STEPS:
        history.append((time, value))


def longest_window(conditions: list[Condition]) -> float:
    """Return the longest window of the rates among ``conditions`` [s], 0 where there is none."""
    return max((one.window_s for one in conditions if isinstance(one, RateCondition)), default=0.0)
