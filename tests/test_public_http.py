"""Requests to addresses that others have chosen reach the public internet alone."""

from ipaddress import ip_address, ip_network

import pytest

from tonnage.public_http import NoReply, PublicHttp, UrlRefused, is_public, read_url

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("::ffff:8.8.8.8", True),
        ("127.0.0.1", False),
        ("127.255.0.3", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("240.0.0.1", False),
        ("255.255.255.255", False),
        ("192.0.2.1", False),
        ("198.18.0.1", False),
        ("::", False),
        ("::1", False),
        ("fe80::1", False),
        ("fc00::1", False),
        ("fd12:3456::1", False),
        ("ff02::1", False),
        ("ff0e::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
        ("2001:0:4136:e378::", False),
        ("2001:db8::1", False),
    ],
)
def test_what_is_public(address: str, expected: bool) -> None:
    assert is_public(ip_address(address)) is expected


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/hooks",
        "https:///hooks",
        "ftp://example.com",
        "https://user@example.com/",
        "https://user:word@example.com/",
        "https://example.com/#part",
        "https://example.com:22/",
        "https://example.com:80/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/latest/meta-data",
        "https://example.com:99999/",
        "https://exämple.com/",
        "https://example.com/a b",
        "https://example.com\\@127.0.0.1/",
        "https://" + "a" * 500,
        "example.com",
        "",
    ],
)
def test_urls_that_are_refused(url: str) -> None:
    with pytest.raises(UrlRefused):
        read_url(url)


def test_own_networks_are_permitted_with_all_ports() -> None:
    networks = [ip_network("10.0.0.0/8")]
    assert read_url("https://10.1.2.3:9000/hooks", networks).port == 9000
    for url in ("https://127.0.0.1/", "https://8.8.8.8:9000/"):
        with pytest.raises(UrlRefused):
            read_url(url, networks)


@pytest.mark.parametrize(
    ("addresses", "url"),
    [
        (["127.0.0.1"], "https://example.com/"),
        (["8.8.8.8", "10.0.0.1"], "https://example.com/"),
        (["10.0.0.1", "8.8.8.8"], "https://example.com/"),
        (["2606:4700::1111", "::1"], "https://example.com/"),
        (["fe80::1%eth0"], "https://example.com/"),
        (["127.0.0.1"], "https://0x7f.1/"),
        (["127.0.0.1"], "https://2130706433/"),
        (["127.0.0.1"], "https://localhost./"),
    ],
)
async def test_a_name_is_refused_if_any_of_its_addresses_is_not_public(addresses: list[str], url: str) -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return addresses

    with pytest.raises(UrlRefused, match="private network"):
        await PublicHttp(resolve=resolve).post(url, b"{}", {})


@pytest.mark.parametrize("url", ["https://0x7f.1/", "https://2130706433/", "https://localhost/", "https://127.1/"])
async def test_odd_spellings_are_what_the_resolver_of_the_system_makes_of_them(url: str) -> None:
    with pytest.raises((UrlRefused, NoReply), match=r"private network|cannot be resolved"):
        await PublicHttp().post(url, b"{}", {})


async def test_a_name_without_addresses() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        raise OSError("no such name")

    with pytest.raises(NoReply, match="cannot be resolved"):
        await PublicHttp(resolve=resolve).post("https://example.invalid/", b"{}", {})
