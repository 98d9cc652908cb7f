"""Who is at the other end: what the connection says, and what is believed of what proxies say in headers.

Anybody can send `X-Forwarded-For`. Only what a trusted proxy has appended to it counts: read from the right, the first
address that is no trusted proxy's is the client's, and whatever stands left of it the client may have made up.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TypeAlias

from starlette.types import Scope

Address: TypeAlias = IPv4Address | IPv6Address
Networks: TypeAlias = tuple[IPv4Network | IPv6Network, ...]

UNKNOWN = "unknown"
"""The address of a client whose connection has none."""


def client_address(scope: Scope, trusted: Networks) -> str:
    """The client's address, without its port; an IPv4 address that came as an IPv6 one (`::ffff:`) as IPv4."""
    peer = _peer(scope)
    if peer is None:
        return UNKNOWN
    client = peer
    for entry in reversed(_entries(scope, b"x-forwarded-for")):
        if not _is_trusted(client, trusted):
            break
        hop = _read(entry)
        if hop is None:
            # A trusted proxy that passes nonsense on: what is known for sure is the proxy.
            break
        client = hop
    return str(client)


def is_secure(scope: Scope, trusted: Networks, public_url: str | None) -> bool:
    """Whether the browser speaks TLS, to us or to the proxy before us.

    A public URL with https settles it: where the proxy is not trusted, its word on this does not count, and a cookie
    must not go out without `Secure` for that.
    """
    if scope.get("scheme") == "https" or (public_url or "").startswith("https://"):
        return True
    peer = _peer(scope)
    told = _entries(scope, b"x-forwarded-proto")
    return peer is not None and _is_trusted(peer, trusted) and told[-1:] == ["https"]


def _peer(scope: Scope) -> Address | None:
    client = scope.get("client")
    return _read(client[0]) if client else None


def _entries(scope: Scope, header: bytes) -> list[str]:
    """Of a header that may come several times and have several values each: all, in their order."""
    values: Iterable[bytes] = (value for name, value in scope["headers"] if name == header)
    return [entry.strip() for value in values for entry in value.decode("latin-1").split(",")]


def _read(text: str) -> Address | None:
    """`192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1` or `[2001:db8::1]:4711`; None for anything else."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _is_trusted(address: Address, trusted: Networks) -> bool:
    return any(address in network for network in trusted)
