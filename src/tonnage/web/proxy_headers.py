"""The address of the client, and whether it uses TLS, behind proxies too.

Any client can send `X-Forwarded-For`. uvicorn's middleware trusts only what trusted proxies have appended to it: read
from the right, the first address that is not a trusted proxy's is the client's.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any, TypeAlias

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

_log = logging.getLogger(__name__)

Networks: TypeAlias = tuple[IPv4Network | IPv6Network, ...]

UNKNOWN = "unknown"
"""The address of a client whose connection has none."""

_PEER = "tonnage.peer"

_RECORDED_EVERY = timedelta(minutes=1)


@dataclass
class UntrustedProxy:
    """The last peer that has sent `X-Forwarded-For` without being a trusted proxy."""

    peer: str = ""
    recorded_at: datetime | None = None

    def see(self, peer: str) -> None:
        """Logs the first one: anybody can send the header, with every request."""
        if not self.peer:
            _log.warning(
                "%s sends X-Forwarded-For and is no trusted proxy. If it is your proxy, name it in --trusted-proxy: "
                "until then all clients behind it count as one, and are blocked together.",
                peer,
            )
        self.peer = peer

    def to_record(self, now: datetime) -> str | None:
        """The peer, once a minute; None if there is nothing to record."""
        if not self.peer or (self.recorded_at and now - self.recorded_at < _RECORDED_EVERY):
            return None
        self.recorded_at = now
        return self.peer


class UntrustedProxyCheck:
    """Looks for the header in what peers outside of `trusted` send. Wraps `ProxyHeaders`, which changes `client`."""

    def __init__(self, app: ASGIApp, trusted: Networks, found: UntrustedProxy) -> None:
        self._app = app
        self._trusted = trusted
        self._found = found

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Changes nothing."""
        if scope["type"] == "http" and any(name == b"x-forwarded-for" for name, _ in scope["headers"]):
            peer = client_address(scope)
            if peer != UNKNOWN and not is_trusted(peer, self._trusted):
                self._found.see(peer)
        await self._app(scope, receive, send)


class ProxyHeaders:
    """uvicorn's middleware with the proxies in `trusted`, on sockets of any kind, and robust against invalid headers.

    Tested with uvicorn 0.54: it treats `::ffff:10.0.0.1`, the form in which an IPv6 socket shows 10.0.0.1, as another
    address; and it accepts anything that a trusted proxy passes on as an address, such as `unknown`.
    """

    def __init__(self, app: ASGIApp, trusted: Networks) -> None:
        self._app = app
        hosts = [str(spelling) for network in trusted for spelling in _spellings(network)]
        checked: Any = self._checked  # uvicorn has types of its own for the same protocol
        self._forwarded: Any = ProxyHeadersMiddleware(checked, hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sets `client` and `scheme` of the scope to the values of the trusted proxies."""
        scope[_PEER] = scope.get("client")
        await self._forwarded(scope, receive, send)

    async def _checked(self, scope: Scope, receive: Receive, send: Send) -> None:
        # If the header contains nothing usable, the only address known for sure is the proxy's.
        if scope.get("client") and _address(scope["client"][0]) is None:
            scope["client"] = scope[_PEER]
        await self._app(scope, receive, send)


def is_trusted(peer: str, trusted: Networks) -> bool:
    """Whether an address is one of the trusted proxies."""
    address = _address(peer)
    return address is not None and any(address in network for network in trusted)


def client_address(scope: Scope) -> str:
    """The client's address; an IPv4 address in IPv6 form (`::ffff:`) is returned as IPv4."""
    return known_address(scope) or UNKNOWN


def known_address(scope: Scope) -> str | None:
    """The same; None for a client whose connection has none."""
    client = scope.get("client")
    address = _address(client[0]) if client else None
    return str(address) if address else None


def is_secure(scope: Scope, public_url: str | None) -> bool:
    """Whether the browser uses TLS, to us or to the trusted proxy in front of us.

    A public URL with https is decisive: the header of a proxy that is not trusted does not count, and a cookie must not
    lose its `Secure` attribute because of that.
    """
    return scope.get("scheme") == "https" or (public_url or "").startswith("https://")


def _spellings(network: IPv4Network | IPv6Network) -> tuple[IPv4Network | IPv6Network, ...]:
    if isinstance(network, IPv6Network):
        return (network,)
    return network, IPv6Network(f"::ffff:{network.network_address}/{96 + network.prefixlen}")


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
