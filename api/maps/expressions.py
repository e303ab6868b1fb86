"""The expressions of a MapLibre style that our styles use, as numbers and colours of a zoom and a feature.

The words and what they mean are those of the MapLibre Style Specification, chapter Expressions.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from layers.errors import DeclarationError

Values = Mapping[str, object]


def evaluate(expression: Any, zoom: float, values: Values) -> Any:
    """Return what ``expression`` is at ``zoom`` for a feature with ``values``; DeclarationError for an unknown word."""
    if not isinstance(expression, list) or not expression or not isinstance(expression[0], str):
        return expression
    word, *rest = expression
    found = _WORDS.get(word)
    if found is None:
        raise DeclarationError(f"the style uses the expression '{word}', which pictures cannot draw")
    return found(rest, zoom, values)


def list_read(expression: Any) -> Iterator[str]:
    """Yield the names of the properties ``expression`` reads."""
    if not isinstance(expression, list) or not expression:
        return
    if expression[0] in ("get", "has") and len(expression) == 2 and isinstance(expression[1], str):
        yield expression[1]
    for part in expression[1:]:
        yield from list_read(part)


def read_rgba(color: str) -> tuple[int, int, int, int]:
    """Return red, green, blue and alpha (0 to 255) of ``#rrggbb``, ``#rrggbbaa``, ``rgb(…)`` or ``rgba(…)``."""
    if color.startswith("rgb"):
        parts = [float(part) for part in color[color.index("(") + 1 : -1].split(",")]
        red, green, blue = (round(part) for part in parts[:3])
        return red, green, blue, round(255 * parts[3]) if len(parts) == 4 else 255
    if color.startswith("#") and len(color) in (7, 9):
        alpha = int(color[7:9], 16) if len(color) == 9 else 255
        return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16), alpha
    raise DeclarationError(f"the style uses the colour '{color}', which pictures cannot draw")


def _match(rest: Sequence[Any], zoom: float, values: Values) -> Any:
    asked, *cases, default = rest
    value = evaluate(asked, zoom, values)
    for label, output in zip(cases[::2], cases[1::2], strict=True):
        if value in label if isinstance(label, list) else value == label:
            return evaluate(output, zoom, values)
    return evaluate(default, zoom, values)


def _case(rest: Sequence[Any], zoom: float, values: Values) -> Any:
    *cases, default = rest
    for condition, output in zip(cases[::2], cases[1::2], strict=True):
        if evaluate(condition, zoom, values):
            return evaluate(output, zoom, values)
    return evaluate(default, zoom, values)


def _step(rest: Sequence[Any], zoom: float, values: Values) -> Any:
    asked, chosen, *steps = rest
    value = evaluate(asked, zoom, values)
    for stop, output in zip(steps[::2], steps[1::2], strict=True):
        if value < stop:
            break
        chosen = output
    return evaluate(chosen, zoom, values)


def _interpolate(rest: Sequence[Any], zoom: float, values: Values) -> Any:
    (kind, *bases), asked, *stops = rest
    base = float(bases[0]) if kind == "exponential" else 1.0
    value = evaluate(asked, zoom, values)
    places, outputs = stops[::2], stops[1::2]
    if value <= places[0]:
        return evaluate(outputs[0], zoom, values)
    for (low, first), (high, second) in pairwise(zip(places, outputs, strict=True)):
        if value <= high:
            share = _grow(value - low, base) / _grow(high - low, base)
            return _mix(evaluate(first, zoom, values), evaluate(second, zoom, values), share)
    return evaluate(outputs[-1], zoom, values)


def _grow(distance: float, base: float) -> float:
    return distance if math.isclose(base, 1.0) else float(base**distance) - 1.0


def _mix(first: Any, second: Any, share: float) -> Any:
    if not isinstance(first, str):
        return first + (second - first) * share
    red, green, blue, alpha = (
        a + (b - a) * share for a, b in zip(read_rgba(first), read_rgba(second), strict=True)
    )  # fmt: skip
    return f"rgba({red:.0f}, {green:.0f}, {blue:.0f}, {alpha / 255.0:.3g})"


def _coalesce(rest: Sequence[Any], zoom: float, values: Values) -> Any:
    return next((value for part in rest if (value := evaluate(part, zoom, values)) is not None), None)


def _compare(holds: Callable[[Any, Any], bool]) -> Callable[[Sequence[Any], float, Values], bool]:
    def compare(rest: Sequence[Any], zoom: float, values: Values) -> bool:
        first, second = (evaluate(part, zoom, values) for part in rest[:2])
        try:
            return holds(first, second)
        except TypeError:
            return False

    return compare


def _write(rest: Sequence[Any], zoom: float, values: Values) -> str:
    value = evaluate(rest[0], zoom, values)
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)


_WORDS: dict[str, Callable[[Sequence[Any], float, Values], Any]] = {
    "literal": lambda rest, zoom, values: rest[0],
    "zoom": lambda rest, zoom, values: zoom,
    "get": lambda rest, zoom, values: values.get(rest[0]),
    "has": lambda rest, zoom, values: values.get(rest[0]) is not None,
    "!": lambda rest, zoom, values: not evaluate(rest[0], zoom, values),
    "all": lambda rest, zoom, values: all(evaluate(part, zoom, values) for part in rest),
    "any": lambda rest, zoom, values: any(evaluate(part, zoom, values) for part in rest),
    "in": lambda rest, zoom, values: evaluate(rest[0], zoom, values) in (evaluate(rest[1], zoom, values) or ()),
    "==": _compare(lambda first, second: first == second),
    "!=": _compare(lambda first, second: first != second),
    ">": _compare(lambda first, second: first > second),
    ">=": _compare(lambda first, second: first >= second),
    "<": _compare(lambda first, second: first < second),
    "<=": _compare(lambda first, second: first <= second),
    "*": lambda rest, zoom, values: math.prod(evaluate(part, zoom, values) for part in rest),
    "+": lambda rest, zoom, values: sum(evaluate(part, zoom, values) for part in rest),
    "-": lambda rest, zoom, values: evaluate(rest[0], zoom, values) - evaluate(rest[1], zoom, values),
    "/": lambda rest, zoom, values: evaluate(rest[0], zoom, values) / evaluate(rest[1], zoom, values),
    "log10": lambda rest, zoom, values: math.log10(evaluate(rest[0], zoom, values)),
    "round": lambda rest, zoom, values: math.floor(evaluate(rest[0], zoom, values) + 0.5),
    "concat": lambda rest, zoom, values: "".join(_write([part], zoom, values) for part in rest),
    "match": _match,
    "case": _case,
    "step": _step,
    "interpolate": _interpolate,
    "coalesce": _coalesce,
    "to-string": _write,
}
