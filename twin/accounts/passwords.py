"""Passwords: which are taken (NIST SP 800-63B, 3.1.1), how they are kept (argon2id) and compared."""

import unicodedata
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from layers.errors import InputError

SHORTEST, LONGEST = 12, 200
_FEWEST_LETTERS = 5
_COMMON = Path(__file__).with_name("common_passwords.txt")
_HASHER = PasswordHasher()


def check_password(password: str, name: str) -> str:
    """Return ``password`` as it is compared; InputError for one that is short, common, or made of the account's name.

    There are no rules of composition: long words are better than odd letters.
    """
    written = _normalise(password)
    if len(written) < SHORTEST:
        raise InputError(f"the password has {len(written)} characters, at least {SHORTEST} are needed")
    if len(written) > LONGEST:
        raise InputError(f"the password has {len(written)} characters, at most {LONGEST} are taken")
    plain = written.casefold()
    if plain in _read_common() or len(set(plain)) < _FEWEST_LETTERS:
        raise InputError("the password is one that is tried first", hint="put a few words together")
    if not set(plain.replace(name.casefold(), "")) - set("0123456789!@#$%.-_ "):
        raise InputError("the password is little more than the account's name", hint="put a few words together")
    return written


def hash_password(password: str) -> str:
    """Return the argon2id hash of a password that was checked."""
    return _HASHER.hash(_normalise(password))


def is_password(kept: str | None, password: str) -> bool:
    """Return whether ``password`` is the one behind ``kept``; without one it takes as long and is False."""
    try:
        _HASHER.verify(kept or _find_decoy(), _normalise(password[:LONGEST]))
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


def _normalise(password: str) -> str:
    """Return the same letters however a keyboard composed them."""
    return unicodedata.normalize("NFKC", password)


@cache
def _find_decoy() -> str:
    return _HASHER.hash("nobody's password")


@cache
def _read_common() -> frozenset[str]:
    return frozenset(_COMMON.read_text(encoding="utf-8").split())
