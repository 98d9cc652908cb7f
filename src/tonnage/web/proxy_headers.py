"""The address of the client, and whether it uses TLS, behind proxies too.

Any client can send `X-Forwarded-For`. uvicorn's middleware trusts only what trusted proxies have appended to it: read
from the right, the first address that is not a trusted proxy's is the client's.
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


def client_address(scope: Scope) -> str:
    """The client's address; an IPv4 address in IPv6 form (`::ffff:`) is returned as IPv4."""
    client = scope.get("client")
    return str((client and _address(client[0])) or UNKNOWN)


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
