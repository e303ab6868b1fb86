"""Who asks, as far as limits go: an account or a key, else the network address."""

import ipaddress

from starlette.types import Scope

_NETWORK_BITS = 64
"""Of IPv6 a subscriber has a whole network, so its addresses count as one."""
_PASSED_ON = frozenset({b"forwarded", b"x-forwarded-for", b"via"})
_CREDENTIALS = frozenset({b"authorization", b"cookie", b"x-api-key"})
_LONGEST = 64


def name_address(scope: Scope) -> str | None:
    """Return the name of the address that asks; None for a program of this machine, which no limit is for.

    Behind a proxy the address is the one that the trusted proxy vouches for: the server put it into the scope.
    """
    client = scope.get("client")
    host = str(client[0]) if client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        address = None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    passed_on = any(name in _PASSED_ON for name, _ in scope["headers"])
    if not passed_on and (address is None or address.is_loopback):
        # Without an address it did not come over a network.
        return None
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, _NETWORK_BITS), strict=False).network_address)
    return str(address) if address is not None else host[:_LONGEST]


def has_credentials(scope: Scope) -> bool:
    """Return whether a request says who sends it; whether that is right, the door finds out."""
    return any(name in _CREDENTIALS for name, _ in scope["headers"])
