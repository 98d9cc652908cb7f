"""Whose word on the client's address counts."""

from ipaddress import ip_network
from typing import Any

import pytest

from tonnage.web.proxy_headers import UNKNOWN, client_address, is_secure

PROXIES = tuple(map(ip_network, ("10.0.0.0/8", "2001:db8:aa::/48", "127.0.0.1")))


def scope(peer: str | None, *headers: tuple[str, str], scheme: str = "http") -> dict[str, Any]:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    return {"client": (peer, 4711) if peer else None, "headers": raw, "scheme": scheme}


def forwarded(peer: str, *values: str) -> str:
    return client_address(scope(peer, *(("x-forwarded-for", value) for value in values)), PROXIES)


def test_without_a_trusted_proxy_headers_count_for_nothing() -> None:
    assert forwarded("192.0.2.1", "198.51.100.7") == "192.0.2.1"
    assert client_address(scope("127.0.0.1", ("x-forwarded-for", "198.51.100.7")), ()) == "127.0.0.1"


@pytest.mark.parametrize(
    ("values", "client"),
    [
        (["198.51.100.7"], "198.51.100.7"),
        (["198.51.100.7, 10.0.0.9"], "198.51.100.7"),  # two proxies of ours
        (["203.0.113.9, 198.51.100.7"], "198.51.100.7"),  # the client made the left one up
        (["127.0.0.1, 198.51.100.7"], "198.51.100.7"),  # and here pretended to be a proxy
        (["203.0.113.9", "198.51.100.7"], "198.51.100.7"),  # the header twice
        (["10.0.0.8, 10.0.0.9"], "10.0.0.8"),  # nobody but proxies: the farthest
        (["198.51.100.7:51234"], "198.51.100.7"),
        (["[2001:db8::7]:51234"], "2001:db8::7"),
        (["2001:DB8:0:0:0:0:0:7"], "2001:db8::7"),
        (["fe80::7%eth0"], "fe80::7"),
        (["::ffff:198.51.100.7"], "198.51.100.7"),
        (["198.51.100.7, ::ffff:10.0.0.9"], "198.51.100.7"),
    ],
)
def test_the_rightmost_address_that_is_no_proxys_is_the_clients(values: list[str], client: str) -> None:
    assert forwarded("10.0.0.1", *values) == client


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
        "a" * 9999,
    ],
)
def test_nonsense_from_a_proxy_leaves_the_proxy(nonsense: str) -> None:
    assert forwarded("10.0.0.1", nonsense) == "10.0.0.1"


def test_nonsense_behind_a_known_address_is_not_looked_at() -> None:
    assert forwarded("10.0.0.1", "' or 1=1, 198.51.100.7") == "198.51.100.7"


def test_without_a_peer_nobody_is_believed() -> None:
    assert client_address(scope(None, ("x-forwarded-for", "198.51.100.7")), PROXIES) == UNKNOWN


def test_tls_is_what_the_connection_says_or_a_trusted_proxy() -> None:
    told = ("x-forwarded-proto", "https")
    assert is_secure(scope("192.0.2.1", scheme="https"), PROXIES, None)
    assert is_secure(scope("10.0.0.1", told), PROXIES, None)
    assert not is_secure(scope("192.0.2.1", told), PROXIES, None)
    assert not is_secure(scope("10.0.0.1"), PROXIES, None)
    assert not is_secure(scope("10.0.0.1", ("x-forwarded-proto", "https, http")), PROXIES, None)
    assert not is_secure(scope(None, told), PROXIES, None)


def test_a_public_url_with_tls_settles_it() -> None:
    assert is_secure(scope("192.0.2.1"), (), "https://console.example.org")
    assert not is_secure(scope("192.0.2.1"), (), "http://console.example.org")
