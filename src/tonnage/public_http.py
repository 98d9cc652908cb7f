"""POST requests to addresses that others have chosen, such as those of webhooks: only to the public internet.

A name is resolved once, and all of its addresses are checked. The connection then goes to one of these very addresses,
so that a name which means another address a moment later leads nowhere else. Redirects are not followed, and proxies of
the environment are not used.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple, TypeAlias
from urllib.parse import SplitResult, urlsplit

import httpx

IpAddress: TypeAlias = IPv4Address | IPv6Address
Networks: TypeAlias = Sequence[IPv4Network | IPv6Network]
Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a name, for a port. OSError: it has none."""

PORTS = (443, 8443)
_LONGEST_URL = 500
_IN_ALL, _CONNECTING = 15.0, 5.0
"""Seconds for a request, and for a connection."""
_MOST_KEPT = 1024
"""Bytes of a response."""

_NEVER = tuple(
    ip_network(text)
    for text in (
        "64:ff9b::/96",  # NAT64: an IPv4 address behind it may be private
        "64:ff9b:1::/48",
        "2001::/32",  # Teredo, likewise
        "2002::/16",  # 6to4, likewise
    )
)
"""What Python counts as global, and may lead into a private network."""


class UrlRefused(ValueError):
    """Why nothing is sent to a URL: a sentence that names the rule."""


class NoReply(Exception):
    """There was no response; the text says why, without secrets."""


class Reply(NamedTuple):
    """A response."""

    status: int
    text: str
    """Its first KB. What is no UTF-8 is replaced."""


def is_public(address: IpAddress) -> bool:
    """Whether an address is one of the public internet, whichever way it is written."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    if any(address in network for network in _NEVER if network.version == address.version):
        return False
    return address.is_global and not address.is_multicast


def read_url(url: str, networks: Networks = ()) -> SplitResult:
    """The parts of a URL that may be sent to. UrlRefused: it breaks a rule that needs no resolver."""
    if len(url) > _LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise UrlRefused(f"must be at most {_LONGEST_URL} printable ASCII characters; write a name in its xn-- form")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UrlRefused("is no URL; write it as https://example.com/hooks") from None
    if parts.scheme != "https" or not parts.hostname:
        raise UrlRefused("must begin with https://")
    if parts.username is not None or parts.password is not None or parts.fragment or "\\" in url:
        raise UrlRefused("must have neither a user name nor a fragment")
    try:
        literal = ip_address(parts.hostname)
    except ValueError:
        if (port or 443) not in PORTS and not networks:
            raise UrlRefused("must have the port 443 or 8443") from None
    else:
        _require_permitted([literal], port or 443, networks)
    return parts


def _require_permitted(addresses: Sequence[IpAddress], port: int, networks: Networks) -> None:
    own = [any(one in network for network in networks if network.version == one.version) for one in addresses]
    if not all(is_own or is_public(one) for one, is_own in zip(addresses, own, strict=True)):
        raise UrlRefused("leads into a private network")
    if port not in PORTS and not all(own):
        raise UrlRefused("must have the port 443 or 8443")


async def resolve(host: str, port: int) -> Sequence[str]:
    """By the resolver of the system."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@dataclass(frozen=True)
class PublicHttp:
    """What sends requests. `networks`: an operator's own, which are permitted as well, with all ports."""

    networks: Networks = ()
    resolve: Resolve = resolve
    tls: ssl.SSLContext | None = None
    """None: trusts what the system does."""
    seconds: float = _IN_ALL

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """The response, of any status. UrlRefused, NoReply."""
        parts = read_url(url, self.networks)
        try:
            async with asyncio.timeout(self.seconds):
                return await self._post(parts, body, headers)
        except TimeoutError:
            raise NoReply(f"no response within {self.seconds:g} seconds") from None

    async def _post(self, parts: SplitResult, body: bytes, headers: Mapping[str, str]) -> Reply:
        host, port = parts.hostname or "", parts.port or 443
        try:
            addresses = [ip_address(text.partition("%")[0]) for text in await self.resolve(host, port)]
        except (OSError, UnicodeError):
            raise NoReply("the name cannot be resolved") from None
        if not addresses:
            raise NoReply("the name cannot be resolved")
        _require_permitted(addresses, port, self.networks)
        for last, address in enumerate(addresses, 1 - len(addresses)):
            try:
                return await self._send(address, parts, body, headers)
            except httpx.ConnectError as error:
                if not last:
                    raise NoReply(_reason(error)) from None
            except httpx.HTTPError as error:
                raise NoReply(_reason(error)) from None
        raise AssertionError("the last address returns or raises")

    async def _send(self, address: IpAddress, parts: SplitResult, body: bytes, headers: Mapping[str, str]) -> Reply:
        numeric = f"[{address}]" if address.version == 6 else str(address)
        target = parts._replace(netloc=f"{numeric}:{parts.port or 443}").geturl()
        # A client of its own: connections to addresses that others have chosen are not kept.
        timeout = httpx.Timeout(self.seconds, connect=_CONNECTING)
        async with httpx.AsyncClient(
            verify=self.tls or _system_tls(), trust_env=False, follow_redirects=False, timeout=timeout
        ) as client:
            request = client.build_request(
                "POST",
                target,
                content=body,
                headers={**headers, "Host": parts.netloc, "Accept-Encoding": "identity"},
                extensions={"sni_hostname": parts.hostname},
            )
            response = await client.send(request, stream=True, follow_redirects=False)
            try:
                kept = b""
                async for chunk in response.aiter_raw():
                    kept += chunk
                    if len(kept) >= _MOST_KEPT:
                        break
            finally:
                await response.aclose()
            return Reply(response.status_code, kept[:_MOST_KEPT].decode("utf-8", "replace").replace("\0", "\ufffd"))


@cache
def _system_tls() -> ssl.SSLContext:
    # Made when it is first needed: reading the certificates takes longer than most commands.
    return ssl.create_default_context()


def _reason(error: httpx.HTTPError) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the certificate is not accepted: {cause.verify_message}"
        cause = cause.__cause__ or cause.__context__
    return "the connection was refused or lost" if isinstance(error, httpx.TransportError) else type(error).__name__
