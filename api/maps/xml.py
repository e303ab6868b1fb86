"""XML documents of the map services: elements by name, prefixes said once at the root, no character XML forbids."""

import re
from collections.abc import Mapping
from xml.sax.saxutils import escape, quoteattr

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


class Element:
    """An element with its prefix in its name; children are added by calling it."""

    def __init__(self, tag: str, text: str | None = None, **attributes: str) -> None:
        self.tag, self.text = tag, text
        self.attributes = dict(attributes)
        self.children: list[Element] = []

    def __call__(self, tag: str, text: str | float | None = None, /, **attributes: str) -> "Element":
        """Add a child and return it."""
        child = Element(tag, None if text is None else write_value(text), **attributes)
        self.children.append(child)
        return child

    def set(self, attributes: Mapping[str, str]) -> "Element":
        """Set attributes whose names hold a colon, and return the element."""
        self.attributes |= attributes
        return self

    def write(self, doctype: str = "") -> bytes:
        """Return the document of which this is the root, in UTF-8, with a declaration of its type if it has one."""
        parts = ['<?xml version="1.0" encoding="UTF-8"?>\n', doctype]
        self._write(parts)
        return "".join(parts).encode()

    def _write(self, parts: list[str]) -> None:
        named = "".join(f" {name}={quoteattr(_clean(value))}" for name, value in self.attributes.items())
        if self.text is None and not self.children:
            parts.append(f"<{self.tag}{named}/>")
            return
        parts.append(f"<{self.tag}{named}>{escape(_clean(self.text or ''))}")
        for child in self.children:
            child._write(parts)
        parts.append(f"</{self.tag}>")


def write_value(value: str | float) -> str:
    """Return a text, or a number without needless digits."""
    return value if isinstance(value, str) else f"{value:.12g}"


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("?", text)
