"""What is asked of a file."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Request:
    """``table`` chooses a layer or sheet; ``encoding`` overrules what the file says of its text.

    ``keys`` and ``tags`` (OpenStreetMap only): objects that have one of ``keys`` are read, with these ``tags``.
    """

    table: str | None = None
    keys: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    encoding: str | None = None
