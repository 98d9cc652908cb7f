"""Who is at the other end: the address of the client, and whether it speaks TLS, behind proxies too.

Anybody can send `X-Forwarded-For`. uvicorn's middleware believes only what trusted proxies have appended to it: read
from the right, the first address that is no trusted proxy's is the client's.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any, TypeAlias

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

Networks: TypeAlias = tuple[IPv4Network | IPv6Network, ...]

UNKNOWN = "unknown"
"""The address of a client whose connection has none."""

_PEER = "tonnage.peer"


class ProxyHeaders:
    """uvicorn's middleware with the proxies in `trusted`, on sockets of any kind, and safe from headers with nonsense.

    Tried with uvicorn 0.54: it takes `::ffff:10.0.0.1`, as an IPv6 socket shows 10.0.0.1, for another address; and it
    takes whatever a trusted proxy passes on for an address, such as `unknown`.
    """

    def __init__(self, app: ASGIApp, trusted: Networks) -> None:
        self._app = app
        hosts = [str(spelling) for network in trusted for spelling in _spellings(network)]
        checked: Any = self._checked  # uvicorn has types of its own for the same protocol
        self._forwarded: Any = ProxyHeadersMiddleware(checked, hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Changes `client` and `scheme` of the scope to what the proxies say of the client."""
        scope[_PEER] = scope.get("client")
        await self._forwarded(scope, receive, send)

    async def _checked(self, scope: Scope, receive: Receive, send: Send) -> None:
        # If the header says nothing that can be used, what is known for sure is the proxy.
        if scope.get("client") and _address(scope["client"][0]) is None:
            scope["client"] = scope[_PEER]
        await self._app(scope, receive, send)


def client_address(scope: Scope) -> str:
    """The client's address; an IPv4 address that came as an IPv6 one (`::ffff:`) as IPv4."""
    client = scope.get("client")
    return str((client and _address(client[0])) or UNKNOWN)


def is_secure(scope: Scope, public_url: str | None) -> bool:
    """Whether the browser speaks TLS, to us or to the trusted proxy before us.

    A public URL with https settles it: where the proxy is not trusted, its word on this does not count, and a cookie
    must not go out without `Secure` for that.
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
