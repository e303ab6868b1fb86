"""The functions of filters (OGC 18-088, table 24, and temporal ones other servers have), each as one line of SQL."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from layers.store.sensing.sta_terms import Kind


@dataclass(frozen=True, slots=True)
class Function:
    """What a function takes and gives, and its SQL over ``{a0}``, ``{a1}`` …

    Of an interval ``{s0}`` is the start and ``{e0}`` the end. ``shorter`` is the SQL without the last argument, where
    that may be left out.
    """

    takes: tuple[Kind, ...]
    gives: Kind
    sql: str
    shorter: str | None = None

    @property
    def counts(self) -> tuple[int, ...]:
        """How many arguments it can have."""
        return (len(self.takes),) if self.shorter is None else (len(self.takes) - 1, len(self.takes))


def _of_text(gives: Kind, sql: str) -> Function:
    return Function(("text",), gives, sql)


def _of_two_texts(gives: Kind, sql: str) -> Function:
    return Function(("text", "text"), gives, sql)


def _of_time(gives: Kind, sql: str) -> Function:
    return Function(("time",), gives, sql)


def _of_number(sql: str) -> Function:
    return Function(("number",), "number", sql)


def _part(name: str) -> Function:
    return _of_time("number", f"extract({name} from {{a0}} at time zone 'UTC')::double precision")


def _of_shapes(sql: str, gives: Kind = "boolean") -> Function:
    return Function(("geometry", "geometry"), gives, sql)


def _of_periods(sql: str) -> Function:
    return Function(("interval", "interval"), "boolean", sql)


_SECONDS = "extract(second from {a0} at time zone 'UTC')"
_START = "floor(least(greatest({a1}, 0), 1e9))::integer + 1"

FUNCTIONS: Mapping[str, Function] = MappingProxyType(
    {
        "substringof": _of_two_texts("boolean", "strpos({a1}, {a0}) > 0"),
        "contains": _of_two_texts("boolean", "strpos({a0}, {a1}) > 0"),
        "startswith": _of_two_texts("boolean", "starts_with({a0}, {a1})"),
        "endswith": _of_two_texts("boolean", "right({a0}, length({a1})) = {a1}"),
        "indexof": _of_two_texts("number", "(strpos({a0}, {a1}) - 1)::double precision"),
        "concat": _of_two_texts("text", "{a0} || {a1}"),
        "substring": Function(
            ("text", "number", "number"),
            "text",
            f"substr({{a0}}, {_START}, floor(least(greatest({{a2}}, 0), 1e9))::integer)",
            f"substr({{a0}}, {_START})",
        ),
        "length": _of_text("number", "length({a0})::double precision"),
        "tolower": _of_text("text", "lower({a0})"),
        "toupper": _of_text("text", "upper({a0})"),
        "trim": _of_text("text", "btrim({a0})"),
        "year": _part("year"),
        "month": _part("month"),
        "day": _part("day"),
        "hour": _part("hour"),
        "minute": _part("minute"),
        "second": _of_time("number", f"floor({_SECONDS})::double precision"),
        "fractionalseconds": _of_time("number", f"({_SECONDS} - floor({_SECONDS}))::double precision"),
        "date": _of_time("date", "({a0} at time zone 'UTC')::date"),
        "time": _of_time("clock", "({a0} at time zone 'UTC')::time"),
        "totaloffsetminutes": _of_time("number", "({zone} + 0 * extract(minute from {a0}))::double precision"),
        "now": Function((), "time", "now()"),
        "mindatetime": Function((), "time", "'0001-01-01 00:00+00'::timestamptz"),
        "maxdatetime": Function((), "time", "'9999-12-31 23:59:59.999999+00'::timestamptz"),
        "round": _of_number("round(({a0})::numeric)::double precision"),
        "floor": _of_number("floor({a0})"),
        "ceiling": _of_number("ceiling({a0})"),
        "geo.distance": _of_shapes("st_distance({a0}, {a1})", "number"),
        "geo.length": Function(("geometry",), "number", "st_length({a0})"),
        "geo.intersects": _of_shapes("st_intersects({a0}, {a1})"),
        "st_equals": _of_shapes("st_equals({a0}, {a1})"),
        "st_disjoint": _of_shapes("st_disjoint({a0}, {a1})"),
        "st_touches": _of_shapes("st_touches({a0}, {a1})"),
        "st_within": _of_shapes("st_within({a0}, {a1})"),
        "st_overlaps": _of_shapes("st_overlaps({a0}, {a1})"),
        "st_crosses": _of_shapes("st_crosses({a0}, {a1})"),
        "st_intersects": _of_shapes("st_intersects({a0}, {a1})"),
        "st_contains": _of_shapes("st_contains({a0}, {a1})"),
        "st_relate": Function(("geometry", "geometry", "text"), "boolean", "st_relate({a0}, {a1}, {a2})"),
        "before": _of_periods("{e0} < {s1} and {s0} < {s1}"),
        "after": _of_periods("{s0} > {e1}"),
        "during": _of_periods("{s0} >= {s1} and {e0} <= {e1} and {s0} <= {e1}"),
        "overlaps": _of_periods("{s0} <= {e1} and {e0} >= {s1}"),
        "meets": _of_periods("{e0} = {s1} or {s0} = {e1}"),
        "starts": _of_periods("{s0} = {s1} and {e0} <= {e1}"),
        "finishes": _of_periods("{e0} = {e1} and {s0} >= {s1}"),
    }
)
