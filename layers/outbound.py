"""The one way out of this server: to public addresses only, unless a host is named as one that may be private.

A name is resolved, all its addresses are judged, and the connection goes to one that was judged: a name that answers
differently a moment later leads nowhere else. This happens at every connection, so at each hop of a redirect too.
A whole exchange has a deadline, however slowly it drips.
"""

import ipaddress
import socket
import ssl
import time
from collections.abc import Collection, Iterable
from typing import Any

import httpcore
import httpx

from layers.errors import AddressError

# Azure answers machines inside it at a public address; Oracle at one that the registry calls global.
_METADATA = frozenset(map(ipaddress.ip_address, ("168.63.129.16", "192.0.0.192")))
# Prefixes that carry an IPv4 address at their end: compatible, translated (SIIT), NAT64 well-known and local.
_CARRYING = tuple(map(ipaddress.IPv6Network, ("::/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48")))
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def open_client(
    *, total_s: float, read_s: float, connect_s: float = 5.0, redirects: int = 0, private_hosts: Collection[str] = ()
) -> httpx.Client:
    """Return a client for one exchange of at most ``total_s`` [s], with at most ``redirects`` hops.

    Connecting raises AddressError for what leads to a private place, unless its host is one of ``private_hosts``.
    """
    transport = httpx.HTTPTransport(trust_env=False)
    transport._pool = httpcore.ConnectionPool(
        ssl_context=httpx.create_ssl_context(),
        network_backend=_Judged(frozenset(private_hosts), time.monotonic() + total_s),
    )
    return httpx.Client(
        transport=transport,
        trust_env=False,
        follow_redirects=redirects > 0,
        max_redirects=redirects,
        timeout=httpx.Timeout(read_s, connect=connect_s),
        headers={"user-agent": "city-twin"},
    )


def find_addresses(host: str, port: int, *, private: bool) -> list[str]:
    """Return the addresses of ``host``; AddressError when one of them is not public, ConnectError when it has none.

    All are judged, so that a name with a public and a private address does not pass by luck.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise httpcore.ConnectError(f"host '{host[:100]}' is not known") from None
    addresses = list(dict.fromkeys(str(row[4][0]) for row in found))
    if not private and not all(is_public(address) for address in addresses):
        raise AddressError(
            f"host '{host[:100]}' leads to a private address", hint="TWIN_CALLBACK_HOSTS may name private hosts"
        )
    return addresses


def is_public(address: str) -> bool:
    """Return whether ``address`` is one of the open Internet, also when it is carried inside another."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour or _read_carried(parsed)
        if parsed.is_site_local or (inner is not None and not _is_open(inner)):
            return False
        if parsed.ipv4_mapped is not None:
            return True
    return _is_open(parsed)


def may_be_public(host: str) -> bool:
    """Return whether ``host`` is a public address, or a name that may lead to one."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host != "localhost" and not host.endswith((".localhost", ".local", ".internal"))
    return is_public(host)


def _is_open(address: _Address) -> bool:
    return address.is_global and not address.is_multicast and address not in _METADATA


def _read_carried(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    return ipaddress.IPv4Address(address.packed[-4:]) if any(address in net for net in _CARRYING) else None


class _Judged(httpcore.NetworkBackend):
    """Connects to addresses that were judged, until ``deadline`` [s, monotonic]."""

    def __init__(self, private_hosts: frozenset[str], deadline: float) -> None:
        self._private_hosts, self._deadline = private_hosts, deadline
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = find_addresses(host, port, private=host.lower() in self._private_hosts)
        for number, address in enumerate(addresses, start=1):
            left = _find_left(self._deadline, timeout, httpcore.ConnectTimeout)
            try:
                stream = self._inner.connect_tcp(address, port, left, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if number == len(addresses):
                    raise
            else:
                return _Timed(stream, self._deadline)
        raise httpcore.ConnectError(f"host '{host[:100]}' has no address")


class _Timed(httpcore.NetworkStream):
    """A connection whose reads and writes all end by ``deadline`` [s, monotonic]."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: float) -> None:
        self._inner, self._deadline = inner, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _find_left(self._deadline, timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _find_left(self._deadline, timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _find_left(self._deadline, timeout, httpcore.ConnectTimeout)
        return _Timed(self._inner.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _find_left(deadline: float, timeout: float | None, late: type[Exception]) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise late("the exchange took too long")
    return left if timeout is None else min(left, timeout)
