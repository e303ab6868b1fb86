"""The ``where`` of GeoServices, a part of SQL-92, read into the tree of a CQL2 filter: nothing of it becomes SQL."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from layers.errors import InputError, TooLargeError
from layers.schema import VectorLayer
from layers.store.query.cql2 import MAX_DEPTH, MAX_LENGTH, check_size

OBJECT_ID = "fid"
_TOKEN = re.compile(
    r"\s*(?:(?P<text>[nN]?'(?:[^']|'')*')|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<name>\"[^\"]+\"|[^\W\d]\w*)|(?P<sign><>|!=|<=|>=|[=<>(),+\-*/]))"
)
_COMPARISONS = {"=": "=", "<>": "<>", "!=": "<>", "<": "<", ">": ">", "<=": "<=", ">=": ">="}
_FUNCTIONS = {"upper": "casei", "lower": "casei"}
_EXAMPLE = "height > 3 AND use IN ('house', 'shop')"


class _Token(NamedTuple):
    kind: str
    text: str
    place: int

    @property
    def word(self) -> str:
        return self.text.lower() if self.kind in ("name", "sign") else ""


def parse_where(words: str, layer: VectorLayer) -> Any:
    """Return the CQL2 tree of ``words``; InputError shows where it cannot be read.

    Names are those of the layer in any case, ``id`` and the object id. AND, OR, NOT, comparisons, IN, BETWEEN, LIKE,
    IS NULL, DATE and TIMESTAMP literals, UPPER, LOWER and arithmetic are read; a yes/no property is 0 or 1.
    """
    if len(words) > MAX_LENGTH:
        raise TooLargeError(f"where has {len(words)} characters, at most {MAX_LENGTH} are read")
    parser = _Parser(words, layer)
    tree = parser.read_or()
    parser.expect_end()
    check_size(tree)
    return tree


def resolve_name(name: str, layer: VectorLayer) -> str:
    """Return the property that ``name`` means, whatever its case; InputError when there is none."""
    lowered = name.strip().lower()
    if lowered in (OBJECT_ID, "objectid"):
        return OBJECT_ID
    if lowered == "id" or any(prop.name == lowered for prop in layer.properties):
        return lowered
    raise InputError(f"layer '{layer.id}' has no field '{name[:80]}'", hint="the layer lists its fields")


class _Parser:
    """Reads by descent, one method a rank of operators."""

    def __init__(self, words: str, layer: VectorLayer) -> None:
        self._tokens, self._layer = _split(words), layer
        self._next = self._depth = 0

    def read_or(self) -> Any:
        return self._chain(self.read_and, {"or": "or"})

    def read_and(self) -> Any:
        return self._chain(self._read_not, {"and": "and"})

    def expect_end(self) -> None:
        if self._peek().kind != "end":
            self._refuse("the end")

    def _read_not(self) -> Any:
        negations = 0
        while self._take("not"):
            negations += 1
        node = self._read_comparison()
        return {"op": "not", "args": [node]} if negations % 2 else node

    def _read_comparison(self) -> Any:
        left = self._read_sum()
        sign = self._peek().word
        if sign in _COMPARISONS:
            self._next += 1
            return {"op": _COMPARISONS[sign], "args": self._fit([left, self._read_sum()])}
        if self._take("is"):
            negated = self._take("not")
            self._expect("null")
            return _negate({"op": "isNull", "args": [left]}, negated)
        negated = self._take("not")
        if self._take("in"):
            self._expect("(")
            values = [self._read_sum()]
            while self._take(","):
                values.append(self._read_sum())
            self._expect(")")
            subject, *fitted = self._fit([left, *values])
            return _negate({"op": "in", "args": [subject, fitted]}, negated)
        if self._take("between"):
            lower = self._read_sum()
            self._expect("and")
            return _negate({"op": "between", "args": self._fit([left, lower, self._read_sum()])}, negated)
        if self._take("like"):
            return _negate({"op": "like", "args": self._fit([left, self._read_sum()])}, negated)
        if negated:
            self._refuse("IN, BETWEEN or LIKE")
        return left

    def _read_sum(self) -> Any:
        return self._chain(self._read_product, {"+": "+", "-": "-"})

    def _read_product(self) -> Any:
        return self._chain(self._read_value, {"*": "*", "/": "/"})

    def _chain(self, read: Callable[[], Any], operators: dict[str, str]) -> Any:
        """Return values between operators of one rank, from left to right; one operator is one node."""
        node = read()
        while self._peek().word in operators:
            operator = operators[self._peek().word]
            self._next += 1
            right = read()
            if operator in ("and", "or") and isinstance(node, dict) and node.get("op") == operator:
                node["args"].append(right)
            else:
                node = {"op": operator, "args": [node, right]}
        return node

    def _read_value(self) -> Any:
        if self._take("-"):
            value = self._read_value()
            return -value if isinstance(value, int | float) else {"op": "*", "args": [-1, value]}
        if self._take("("):
            self._depth += 1
            if self._depth > MAX_DEPTH // 2:
                raise TooLargeError(f"where is nested more than {MAX_DEPTH // 2} deep")
            node = self.read_or()
            self._expect(")")
            self._depth -= 1
            return node
        token = self._peek()
        self._next += 1
        if token.kind == "number":
            return float(token.text) if set(token.text) & set(".eE") else int(token.text)
        if token.kind == "text":
            return _unquote(token.text)
        if token.kind == "name":
            return self._read_name(token)
        self._next -= 1
        return self._refuse("a field or a value")

    def _read_name(self, token: _Token) -> Any:
        following = self._peek()
        if token.word in ("date", "timestamp") and following.kind == "text":
            self._next += 1
            return _read_time(_unquote(following.text))
        if token.word in _FUNCTIONS and following.word == "(":
            self._next += 1
            inner = self._read_sum()
            self._expect(")")
            return {"op": _FUNCTIONS[token.word], "args": [inner]}
        return {"property": resolve_name(token.text.strip('"'), self._layer)}

    def _fit(self, nodes: list[Any]) -> list[Any]:
        """Return values as the properties beside them have them: 0 and 1 as no and yes, text in either case."""
        flags = any(isinstance(node, dict) and self._is_flag(node.get("property")) for node in nodes)
        if flags:
            nodes = [bool(node) if type(node) is int and node in (0, 1) else node for node in nodes]
        if any(isinstance(node, dict) and node.get("op") == "casei" for node in nodes):
            nodes = [{"op": "casei", "args": [node]} if isinstance(node, str) else node for node in nodes]
        return nodes

    def _is_flag(self, name: Any) -> bool:
        prop = self._layer.find(name) if isinstance(name, str) else None
        return prop is not None and prop.type == "boolean"

    def _peek(self) -> _Token:
        return self._tokens[min(self._next, len(self._tokens) - 1)]

    def _take(self, word: str) -> bool:
        found = self._peek().word == word
        self._next += found
        return found

    def _expect(self, word: str) -> None:
        if not self._take(word):
            self._refuse(f"'{word.upper()}'")

    def _refuse(self, expected: str) -> Any:
        token = self._peek()
        where = "ends too early" if token.kind == "end" else f"cannot be read at '{token.text[:40]}'"
        raise InputError(f"where {where}, expected {expected}", hint=_EXAMPLE)


def _split(words: str) -> list[_Token]:
    tokens, place = [], 0
    stop = len(words.rstrip())
    while place < stop:
        found = _TOKEN.match(words, place)
        if found is None or found.lastgroup is None:
            raise InputError(f"where cannot be read at '{words[place : place + 40].strip()}'", hint=_EXAMPLE)
        tokens.append(_Token(found.lastgroup, found[found.lastgroup], found.start(found.lastgroup)))
        place = found.end()
    return [*tokens, _Token("end", "", place)]


def _unquote(text: str) -> str:
    return text[text.index("'") + 1 : -1].replace("''", "'")


def _read_time(words: str) -> dict[str, str]:
    """Return a DATE or TIMESTAMP literal; without an offset it is UTC."""
    if len(words) <= 10:
        return {"date": words}
    written = words.replace(" ", "T", 1)
    return {"timestamp": written if re.search(r"(Z|[+-]\d\d:?\d\d)$", written) else f"{written}Z"}


def _negate(node: Any, negated: bool) -> Any:
    return {"op": "not", "args": [node]} if negated else node
