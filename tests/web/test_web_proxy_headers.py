"""The client's address behind trusted proxies."""

import asyncio
from ipaddress import ip_network
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from tonnage.web.proxy_headers import UNKNOWN, Networks, ProxyHeaders, client_address, is_secure

PROXIES = tuple(map(ip_network, ("10.0.0.0/8", "2001:db8:aa::/48", "127.0.0.1")))


def seen(peer: str | None, *headers: tuple[str, str], scheme: str = "http", trusted: Networks = PROXIES) -> Scope:
    """The scope of a request as the application receives it."""
    found: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        found.append(dict(scope))

    async def receive() -> Message:
        raise AssertionError("nobody reads")

    async def send(message: Message) -> None:
        raise AssertionError("nobody answers")

    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    scope: dict[str, Any] = {"type": "http", "headers": raw, "scheme": scheme}
    scope["client"] = (peer, 4711) if peer else None
    asyncio.run(ProxyHeaders(app, trusted)(scope, receive, send))
    return found[0]


def forwarded(peer: str, *values: str, trusted: Networks = PROXIES) -> str:
    return client_address(seen(peer, *(("x-forwarded-for", value) for value in values), trusted=trusted))


def test_without_a_trusted_proxy_headers_count_for_nothing() -> None:
    assert forwarded("192.0.2.1", "198.51.100.7") == "192.0.2.1"
    assert forwarded("127.0.0.1", "198.51.100.7", trusted=()) == "127.0.0.1"


@pytest.mark.parametrize("peer", ["10.0.0.1", "::ffff:10.0.0.1", "2001:db8:aa::1", "127.0.0.1"])
@pytest.mark.parametrize(
    ("values", "client"),
    [
        (["198.51.100.7"], "198.51.100.7"),
        (["198.51.100.7, 10.0.0.9"], "198.51.100.7"),  # two proxies of ours
        (["203.0.113.9, 198.51.100.7"], "198.51.100.7"),  # the client forged the left one
        (["127.0.0.1, 198.51.100.7"], "198.51.100.7"),  # a forged proxy address
        (["203.0.113.9", "198.51.100.7"], "198.51.100.7"),  # the header twice
        (["10.0.0.8, 10.0.0.9"], "10.0.0.8"),  # only proxies: the farthest
        (["198.51.100.7:51234"], "198.51.100.7"),
        (["198.51.100.7, 10.0.0.9:443"], "198.51.100.7"),
        (["[2001:db8::7]:51234"], "2001:db8::7"),
        (["2001:DB8:0:0:0:0:0:7"], "2001:db8::7"),
        (["fe80::7%eth0"], "fe80::7"),
        (["::ffff:198.51.100.7"], "198.51.100.7"),
        (["198.51.100.7, ::ffff:10.0.0.9"], "198.51.100.7"),
        (["198.51.100.7, [::ffff:10.0.0.9]:443"], "198.51.100.7"),
        (["::ffff:192.0.2.8, ::ffff:198.51.100.7"], "198.51.100.7"),  # not every mapped address is a proxy's
    ],
)
def test_the_rightmost_address_that_is_no_proxys_is_the_clients(peer: str, values: list[str], client: str) -> None:
    assert forwarded(peer, *values) == client


@pytest.mark.parametrize(
    "nonsense",
    [
        "",
        "unknown",
        "198.51.100.7; drop",
        "198.51.100.7,",
        "_hidden",
        "1.2.3",
        "999.1.1.1",
        "\x00",
        "0x7f000001",
        "*",
        "[",
        "[]:1",
        "a" * 9999,
    ],
)
def test_nonsense_from_a_proxy_leaves_the_proxy(nonsense: str) -> None:
    scope = seen("10.0.0.1", ("x-forwarded-for", nonsense))
    assert scope["client"] == ("10.0.0.1", 4711)  # for the access log, too
    assert client_address(scope) == "10.0.0.1"


def test_nonsense_behind_a_known_address_is_not_looked_at() -> None:
    assert forwarded("10.0.0.1", "' or 1=1, 198.51.100.7") == "198.51.100.7"


def test_without_a_peer_no_header_counts() -> None:
    assert client_address(seen(None, ("x-forwarded-for", "198.51.100.7"))) == UNKNOWN


def test_tls_is_what_the_connection_says_or_a_trusted_proxy() -> None:
    https = ("x-forwarded-proto", "https")
    assert is_secure(seen("192.0.2.1", scheme="https"), None)
    assert is_secure(seen("10.0.0.1", https), None)
    assert is_secure(seen("::ffff:10.0.0.1", https), None)
    assert not is_secure(seen("192.0.2.1", https), None)
    assert not is_secure(seen("10.0.0.1"), None)
    assert not is_secure(seen("10.0.0.1", ("x-forwarded-proto", "https, http")), None)
    assert not is_secure(seen("10.0.0.1", https, ("x-forwarded-proto", "http")), None)
    assert not is_secure(seen("10.0.0.1", ("x-forwarded-proto", "nonsense")), None)
    assert not is_secure(seen(None, https), None)


def test_a_public_url_with_tls_settles_it() -> None:
    assert is_secure(seen("192.0.2.1", trusted=()), "https://console.example.org")
    assert not is_secure(seen("192.0.2.1", trusted=()), "http://console.example.org")
