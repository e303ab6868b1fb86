"""Expressions of $filter and $orderby: text becomes operators, functions, paths and literals (OGC 18-088, 9.3.3.5).

A precedence parser over a small lexer. Length, depth and number of tokens are bounded; names of paths and types are
checked where the SQL is made.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import shapely
from shapely.errors import GEOSException

from layers.errors import InputError
from layers.store.sensing.sta_functions import FUNCTIONS
from layers.store.sensing.sta_request import Call, Expression, Member, Period, Value

LONGEST_EXPRESSION, MOST_TOKENS, DEEPEST = 8000, 600, 50
_MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+\- ]\d\d:?\d\d)?"
_TOKEN = re.compile(
    rf"""\s*(?:
    (?P<period>{_MOMENT}/{_MOMENT})
    | (?P<moment>{_MOMENT})
    | (?P<date>\d{{4}}-\d\d-\d\d)
    | (?P<clock>\d\d:\d\d(?::\d\d(?:\.\d{{1,9}})?)?)
    | (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    | (?P<shape>geo(?:graphy|metry)'(?:[^']|'')*')
    | (?P<duration>duration'[^']*')
    | (?P<text>'(?:[^']|'')*')
    | (?P<word>(?:@iot\.)?[^\W\d][\w.\-]*(?:/[\w.@\-]+)*)
    | (?P<mark>[(),\-])
    )""",
    re.VERBOSE,
)
_DURATION = re.compile(
    r"(?P<sign>-)?P(?:(?P<days>\d{1,6})D)?(?:T(?:(?P<hours>\d{1,6})H)?(?:(?P<minutes>\d{1,7})M)?"
    r"(?:(?P<seconds>\d{1,9}(?:\.\d{1,6})?)S)?)?"
)
_BINARY = {
    "or": 1, "and": 2, "eq": 4, "ne": 4, "gt": 5, "ge": 5, "lt": 5, "le": 5,
    "add": 6, "sub": 6, "mul": 7, "div": 7, "mod": 7,
}  # fmt: skip
# ``not a eq b`` denies the comparison, as people mean it; of truths it comes to the same as the other reading.
_NOT, _MINUS = 3, 8
_CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "null": None}


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    place: int


def parse_expression(text: str, option: str) -> Expression:
    """Return ``text`` of query option ``option`` as an expression; InputError names the piece that is wrong."""
    return _Parser(text, option).parse()


def parse_moment(text: str) -> datetime:
    """Return a date-time with zone in UTC; ValueError for what is none. A '+' may have become a blank on its way."""
    parsed = datetime.fromisoformat(text.replace(" ", "+"))
    if parsed.tzinfo is None:
        raise ValueError("it has no zone: add Z or an offset such as %2B07:00")
    return parsed.astimezone(UTC)


class _Parser:
    def __init__(self, text: str, option: str) -> None:
        if len(text) > LONGEST_EXPRESSION:
            raise InputError(f"{option} has {len(text)} characters", hint=f"at most {LONGEST_EXPRESSION}")
        self._option = option
        self._tokens = self._cut(text)
        self._next = 0

    def parse(self) -> Expression:
        found = self._read(0, 0)
        left = self._peek()
        if left.kind != "end":
            raise self._error(left, "expected an operator or the end")
        return found

    def _cut(self, text: str) -> list[_Token]:
        tokens, place, end = [], 0, len(text.rstrip())
        while place < end:
            found = _TOKEN.match(text, place)
            if found is None or found.lastgroup is None:
                rest = text[place:].strip()
                raise self._error(_Token("", rest, text.index(rest, place)), "this is not part of an expression")
            tokens.append(_Token(found.lastgroup, found[found.lastgroup], found.start(found.lastgroup)))
            place = found.end()
            if len(tokens) > MOST_TOKENS:
                raise InputError(f"{self._option} has more than {MOST_TOKENS} words", hint="ask in several requests")
        tokens.append(_Token("end", "", end))
        return tokens

    def _peek(self) -> _Token:
        return self._tokens[self._next]

    def _take(self) -> _Token:
        token = self._tokens[self._next]
        if token.kind != "end":
            self._next += 1
        return token

    def _expect(self, mark: str) -> None:
        token = self._take()
        if token.text != mark or token.kind != "mark":
            raise self._error(token, f"expected '{mark}'")

    def _error(self, token: _Token, expected: str) -> InputError:
        found = f"'{token.text[:60]}'" if token.kind != "end" else "the end"
        return InputError(f"{self._option}, at character {token.place + 1}, found {found}: {expected}")

    def _read(self, least: int, depth: int) -> Expression:
        """Return what follows, up to an operator that binds less than ``least``."""
        left = self._read_operand(depth)
        while True:
            token = self._peek()
            strength = _BINARY.get(token.text, 0) if token.kind == "word" else 0
            if strength <= least:
                return left
            self._take()
            depth += token.text not in ("and", "or")
            right = self._read(strength, depth + 1)
            if isinstance(left, Call) and left.name == token.text and token.text in ("and", "or"):
                left = Call(token.text, (*left.arguments, right))
            else:
                left = Call(token.text, (left, right))

    def _read_operand(self, depth: int) -> Expression:
        token = self._take()
        if depth > DEEPEST:
            raise self._error(token, f"it is nested deeper than {DEEPEST}")
        if token.kind == "mark":
            if token.text == "(":
                inner = self._read(0, depth + 1)
                self._expect(")")
                return inner
            if token.text == "-":
                return Call("minus", (self._read(_MINUS, depth + 1),))
        elif token.kind == "word":
            return self._read_word(token, depth)
        elif token.kind != "end":
            return self._read_literal(token)
        raise self._error(token, "expected a value, a path or a function")

    def _read_word(self, token: _Token, depth: int) -> Expression:
        after = self._peek()
        if token.text == "not" and after.kind != "end":
            return Call("not", (self._read(_NOT, depth + 1),))
        if token.text in _CONSTANTS:
            return Value(_CONSTANTS[token.text])
        if after.kind != "mark" or after.text != "(":
            return Member(tuple(token.text.split("/")))
        function = FUNCTIONS.get(token.text)
        if function is None:
            raise self._error(token, f"there is no such function; one of {', '.join(FUNCTIONS)}")
        self._take()
        arguments: list[Expression] = []
        if self._peek().text != ")" or self._peek().kind != "mark":
            arguments.append(self._read(0, depth + 1))
            while self._peek().text == "," and self._peek().kind == "mark":
                self._take()
                arguments.append(self._read(0, depth + 1))
        self._expect(")")
        if len(arguments) not in function.counts:
            counts = " or ".join(str(count) for count in function.counts)
            raise self._error(token, f"it takes {counts} arguments, found {len(arguments)}")
        return Call(token.text, tuple(arguments))

    def _read_literal(self, token: _Token) -> Value:
        try:
            return _READERS[token.kind](token.text)
        except (ValueError, OverflowError, GEOSException) as error:
            raise self._error(token, str(error)[:200]) from None


def _read_number(text: str) -> Value:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError("the number is too large")
    whole = text.isdigit() and len(text) <= 18
    return Value(int(text) if whole else number)


def _read_text(text: str) -> Value:
    return Value(text[1:-1].replace("''", "'"))


def _read_instant(text: str) -> Value:
    moment = parse_moment(text)
    offset = datetime.fromisoformat(text.replace(" ", "+")).utcoffset() or timedelta()
    return Value(moment, int(offset.total_seconds() // 60))


def _read_period(text: str) -> Value:
    start, end = (parse_moment(part) for part in text.split("/"))
    if end < start:
        raise ValueError("the end lies before the start")
    return Value(Period(start, end))


def _read_duration(text: str) -> Value:
    found = _DURATION.fullmatch(text[len("duration'") : -1])
    parts = {} if found is None else {name: part for name, part in found.groupdict().items() if part and name != "sign"}
    if found is None or not parts:
        raise ValueError("it is not a duration such as duration'P1DT2H30M'")
    length = timedelta(**{name: float(part) for name, part in parts.items()})
    return Value(-length if found["sign"] else length)


def _read_shape(text: str) -> Value:
    words = text[text.index("'") + 1 : -1].strip()
    shape = shapely.from_wkt(words.removeprefix("SRID=4326;"))
    if not shapely.is_valid(shape) or shape.geom_type == "GeometryCollection":
        raise ValueError("it is not a valid point, line or polygon in WKT")
    return Value(shape)


_READERS = {
    "period": _read_period,
    "moment": _read_instant,
    "date": lambda text: Value(date.fromisoformat(text)),
    "clock": lambda text: Value(time.fromisoformat(text)),
    "number": _read_number,
    "shape": _read_shape,
    "duration": _read_duration,
    "text": _read_text,
}
