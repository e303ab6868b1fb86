"""In whose name something is changed, and why: what the door let pass, as routes record it."""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import unquote

from fastapi import Depends, Request

from api.principal import Principal, current_principal
from layers.errors import InputError

LONGEST_AUTHOR, LONGEST_REASON = 100, 500
_SAFE = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Writer:
    """Who changes something, and why."""

    author: str
    reason: str


async def give_writer(request: Request) -> Writer:
    """Return who writes, or reads what is for the staff; UnauthorizedError or ForbiddenError for who may not.

    Who signed in writes in the own name; this machine and the server's token say whose name it is (``Twin-Author``).
    """
    principal = current_principal(request)
    # What changes something was checked at the door.
    if request.method in _SAFE:
        principal.require("read-staff")
    return Writer(_name_author(request, principal), _read_words(request, "twin-reason", LONGEST_REASON))


async def find_writer(request: Request) -> Writer | None:
    """Return who asks if it is one of the staff, None for others."""
    principal = current_principal(request)
    if not principal.may("read-staff"):
        return None
    return Writer(_name_author(request, principal), _read_words(request, "twin-reason", LONGEST_REASON))


def _name_author(request: Request, principal: Principal) -> str:
    given = _read_words(request, "twin-author", LONGEST_AUTHOR) if principal.names_others else ""
    return given or principal.name or principal.subject


async def require_staff(request: Request) -> None:
    """Raise UnauthorizedError or ForbiddenError for who is not one of the staff."""
    current_principal(request).require("read-staff")


WriterOf = Annotated[Writer, Depends(give_writer)]
MaybeWriterOf = Annotated[Writer | None, Depends(find_writer)]


def _read_words(request: Request, name: str, longest: int) -> str:
    """Return a header as text: UTF-8, or percent-encoded UTF-8 where a client can send ASCII only."""
    sent = request.headers.get(name, "").encode("latin-1")
    try:
        words = unquote(sent.decode("utf-8"), errors="strict").strip()
    except UnicodeDecodeError:
        raise InputError(f"header '{name}' is not UTF-8", hint="percent-encode it") from None
    return check_words(words, name, longest)


def check_words(words: str, name: str, longest: int) -> str:
    """Return ``words`` if they are one line of at most ``longest`` characters; InputError names ``name``."""
    if len(words) > longest:
        raise InputError(f"'{name}' has {len(words)} characters, at most {longest} are kept")
    if any(ord(letter) < 32 or 0xD800 <= ord(letter) <= 0xDFFF for letter in words):
        raise InputError(f"'{name}' holds control characters")
    return words
