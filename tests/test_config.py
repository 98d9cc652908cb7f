"""The operator's settings, and the refused values."""

from ipaddress import ip_network

import pytest
from pydantic import ValidationError

from tonnage.config import Settings


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://console.example.com", "https://console.example.com"),
        ("https://console.example.com/", "https://console.example.com"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_a_public_url(given: str, kept: str) -> None:
    assert Settings(public_url=given).public_url == kept


@pytest.mark.parametrize(
    "given",
    ["console.example.com", "ftp://x", "https://", "https://x/path", "https://x?y", "https://x#y", "https://u@x",
     "https://x:port", "https://x\n.evil", "javascript:alert(1)", "https://x y"],
)  # fmt: skip
def test_invalid_public_urls(given: str) -> None:
    with pytest.raises(ValidationError, match="without a path"):
        Settings(public_url=given)


def test_proxies_come_from_the_environment_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TONNAGE_TRUSTED_PROXIES", "10.0.0.0/8, ::1 ,192.0.2.7")
    assert Settings().trusted_proxies == tuple(map(ip_network, ("10.0.0.0/8", "::1/128", "192.0.2.7/32")))
    monkeypatch.setenv("TONNAGE_TRUSTED_PROXIES", "")
    assert Settings().trusted_proxies == ()


@pytest.mark.parametrize("given", ["10.0.0.1/8", "proxy.example.com", "10.0.0.0 10.0.0.1"])
def test_invalid_proxies(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TONNAGE_TRUSTED_PROXIES", given)
    with pytest.raises(ValidationError, match="not a valid"):
        Settings()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("", ()),
        ("https://app.example.com", ("https://app.example.com",)),
        ("https://App.Example.com:443/, http://localhost:3000", ("https://app.example.com", "http://localhost:3000")),
        ("http://x:80,https://xn--bcher-kva.example:8443", ("http://x", "https://xn--bcher-kva.example:8443")),
        ("http://[::1]:8080", ("http://[::1]:8080",)),
    ],
)
def test_cors_origins_are_as_browsers_write_them(
    given: str, kept: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TONNAGE_CORS_ORIGINS", given)
    assert Settings().cors_origins == kept


@pytest.mark.parametrize(
    "given",
    ["*", "null", "app.example.com", "https://*.example.com", "https://x/path", "https://x?y", "https://u@x",
     "https://bücher.example", "ftp://x", "https://x https://y", "https://x;https://y", "https://x, *"],
)  # fmt: skip
def test_invalid_cors_origins(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TONNAGE_CORS_ORIGINS", given)
    with pytest.raises(ValidationError, match=r"cors_origins\.\d\n.*write (it|each)"):
        Settings()


@pytest.mark.parametrize("minutes", [4, 1441])
def test_idle_time_has_bounds(minutes: int) -> None:
    with pytest.raises(ValidationError):
        Settings(session_idle_minutes=minutes)


def test_the_mail_servers_password_is_not_shown() -> None:
    assert "s3cret" not in repr(Settings(smtp_url="smtp://u:s3cret@mail.example.com"))
