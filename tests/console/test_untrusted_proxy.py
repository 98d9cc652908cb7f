"""A proxy that is not trusted: all clients behind it count as one, which the operator has to know."""

import logging
from datetime import timedelta
from ipaddress import ip_network

import httpx
import psycopg
import pytest
from click.testing import CliRunner

from tests.api.conftest import AppClient
from tests.authentication.members import Person
from tests.cli.command import Command
from tests.console.guests import ann, browser, sign_in
from tonnage.cli import main
from tonnage.web.proxy_headers import is_trusted

__all__ = ["ann", "browser"]
"""The fixtures of guests."""

pytestmark = pytest.mark.anyio

SAYS = "sends X-Forwarded-For and is no trusted proxy"


async def overview(client: AppClient) -> str:
    operator = await client.sign_in(client.cast.operator)
    return (await operator.get("/operator")).text


async def test_it_is_logged_once_and_shown_for_a_day(
    client: AppClient, browser: httpx.AsyncClient, ann: Person, caplog: pytest.LogCaptureFixture
) -> None:
    assert SAYS not in await overview(client)
    browser.headers["X-Forwarded-For"] = "198.51.100.77"
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            await browser.get("/healthz")
        assert (await sign_in(browser, ann)).status_code == 303
    assert [SAYS in record.getMessage() for record in caplog.records].count(True) == 1
    assert "198.51.100.77" not in caplog.text
    assert SAYS in await overview(client)
    client.clock.now += timedelta(days=1)
    assert SAYS not in await overview(client)


def test_the_doctor_notes_it(conninfo: str) -> None:
    with psycopg.connect(conninfo, autocommit=True) as conn:
        conn.execute("delete from untrusted_proxy")
        assert SAYS not in Command(conninfo)("doctor").output
        conn.execute("insert into untrusted_proxy (peer, seen_at) values ('10.9.8.7', now())")
        said = Command(conninfo)("doctor").output
        environment = {"TONNAGE_DATABASE_URL": conninfo, "TONNAGE_TRUSTED_PROXIES": "10.9.0.0/16"}
        trusting = CliRunner(env=environment).invoke(main, ["doctor"]).output
        conn.execute("delete from untrusted_proxy")
    assert f"note proxy: 10.9.8.7 {SAYS}" in said
    assert SAYS not in trusting


def test_addresses_of_trusted_networks() -> None:
    networks = (ip_network("10.0.0.0/8"), ip_network("2001:db8::/32"))
    assert [is_trusted(peer, networks) for peer in ("10.1.2.3", "::ffff:10.1.2.3", "2001:db8::1")] == [True] * 3
    assert [is_trusted(peer, networks) for peer in ("11.1.2.3", "unknown", "")] == [False] * 3
