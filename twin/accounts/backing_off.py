"""Failed attempts make who fails wait, longer each time; nobody can lock somebody else out for good.

Failures are counted for an address, for an account from an address, and for an account from anywhere. An attempt is
counted before it is judged, so that many at once do not pass; a good one takes its count back. Where the person has a
session already, what others fail elsewhere does not count.
"""

import ipaddress
import math

from sqlalchemy import Connection

from layers.errors import TwinError
from twin.store_accounts import count_attempt, forget_attempts, forgive_attempt, lock_attempts, read_attempts

FORGET_S = 6 * 3600.0
# From how many failures on one waits, and how long at most [s].
_ADDRESS, _PAIR, _ACCOUNT = (30, 300.0), (5, 900.0), (60, 30.0)


class TooManyError(TwinError):
    """Somebody tried too often; ``wait_s`` says how long to wait [s]."""

    code, status = "too-many-attempts", 429

    def __init__(self, wait_s: float) -> None:
        super().__init__("too many attempts failed", hint=f"try again in {math.ceil(wait_s)} s")
        self.wait_s = wait_s


def begin_attempt(connection: Connection, name: str, address: str, *, known: bool) -> None:
    """Count an attempt to be ``name`` from ``address``; TooManyError while one must wait.

    ``known``: the person signed in from there before. Commit before the attempt is judged.
    """
    limits = {f"address:{address}": _ADDRESS, f"pair:{name}|{address}": _PAIR}
    if not known:
        limits[f"account:{name}"] = _ACCOUNT
    lock_attempts(connection, sorted(limits))
    before = read_attempts(connection, list(limits), FORGET_S)
    wait = max(_find_wait(*before.get(who, (0, 0.0)), *limit) for who, limit in limits.items())
    if wait > 0.0:
        # Who does not wait is not counted: the wait ends all the same.
        raise TooManyError(wait)
    for who in limits:
        count_attempt(connection, who, FORGET_S)


def forgive(connection: Connection, name: str, address: str) -> None:
    """Take back what counted against somebody who proved to be ``name``; others of the address stay counted."""
    forget_attempts(connection, [f"pair:{name}|{address}", f"account:{name}"])
    forgive_attempt(connection, f"address:{address}")


def find_place(address: str) -> str:
    """Return what attempts from ``address`` are counted for: itself, of IPv6 the network of one customer (/64)."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:60]
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is None:
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def _find_wait(failures: int, ago: float, free: int, most: float) -> float:
    """Return how long to wait [s] after ``failures``, the last of which is ``ago`` [s]."""
    over = failures - free
    return 0.0 if over < 0 else min(2.0 ** min(over + 1, 20), most) - ago
