"""Inbox, choice of notifications, alerts and their levels, and the link that stops mails."""

from pathlib import Path
from typing import Any

import pytest

from tests.api.conftest import AccountData, AppClient, account_data, application
from tests.authentication.members import key_file
from tests.cast import NOW, TB
from tests.console.browsers import Browser
from tests.events.test_feed import published
from tonnage.access.actor import Actor, Role
from tonnage.alerts import actions as alerts
from tonnage.notifications import queries
from tonnage.notifications.notification_kind import Delivery
from tonnage.notifications.unsubscribe_link import PURPOSE, signed_text, unsubscribe_path
from tonnage.sealing import read_keys

pytestmark = pytest.mark.anyio


async def fill(client: AppClient, data: AccountData, percent: int = 91) -> None:
    """The account uses so much of its terabyte."""

    async def update(conn: Any) -> None:
        used = percent * TB // 100
        await conn.execute("update account_usage set used = %s where account_id = %s", [used, data.account])

    await client.cast.database.run(update)
    await alerts.evaluate(client.cast.database, NOW)
    await published(client.cast.database)


async def test_the_inbox_says_what_has_happened_and_what_is_new(client: AppClient, data: AccountData) -> None:
    partner, distributor = await client.sign_in(data.partner), await client.sign_in(data.distributor)
    (name,) = await client.cast.row("select name from storage_account where id = %s", data.account)
    await fill(client, data)
    said = f"{name} uses 91 % of its allocation: 910 GB of 1 TB".replace(" GB", "\N{NARROW NO-BREAK SPACE}GB")
    for browser, path in (
        (partner, f"/partner/accounts/{data.account}"),
        (distributor, f"/distributor/partners/{data.partner.organisation_id}/accounts/{data.account}"),
    ):
        shown = (await browser.get("/inbox")).text
        assert said.replace(" TB", "\N{NARROW NO-BREAK SPACE}TB") in shown
        assert f'href="{path}"' in shown
        assert (await browser.get(path)).status_code == 200
        assert "New</span>" in shown
        position = shown.partition('name="position" value="')[2].partition('"')[0]
        assert (await browser.post("/inbox/read", {"position": position})).status_code == 303
        read = (await browser.get("/inbox")).text
        assert "Everything is read" in read
        assert "New</span>" not in read


async def test_every_page_says_how_much_is_unread(client: AppClient, data: AccountData) -> None:
    partner, distributor = await client.sign_in(data.partner), await client.sign_in(data.distributor)
    stranger = await client.sign_in(await client.cast.distributor())

    async def badge(browser: Browser, page: str = "/statements") -> str:
        link = (await browser.get(page)).text.partition('href="/inbox"')[2].partition("</a>")[0]
        return link.partition('class="badge">')[2].partition("<")[0]

    assert [await badge(one) for one in (partner, distributor, stranger)] == ["", "", ""]
    await fill(client, data)
    # The partner has got a statement too, which is not its distributor's news.
    assert [await badge(one) for one in (partner, distributor, stranger)] == ["2", "1", ""]
    assert await badge(partner, "/inbox") == await badge(partner, "/profile") == "2"
    shown = (await partner.get("/inbox")).text
    position = shown.partition('name="position" value="')[2].partition('"')[0]
    await partner.post("/inbox/read", {"position": position})
    assert [await badge(one) for one in (partner, distributor)] == ["", "1"]
    await client.cast.row(
        """
        with e as (
            insert into event (position, entry_id, organisation_id, parent_id, type, at)
            select 1000000000 + n, 1, %s, %s, 'account.alert', %s
            from generate_series(1, 120) n returning 1)
        select count(*) from e
        """,
        *(data.partner.organisation_id, data.distributor.organisation_id, NOW),
    )
    assert [await badge(one) for one in (partner, distributor, stranger)] == ["99+", "99+", ""]


async def test_strangers_have_other_inboxes(client: AppClient, data: AccountData) -> None:
    stranger = await client.sign_in(await client.cast.distributor())
    (name,) = await client.cast.row("select name from storage_account where id = %s", data.account)
    await fill(client, data)
    for page in ("/inbox", "/alerts"):
        assert name not in (await stranger.get(page)).text


async def test_what_a_member_chooses_stays(client: AppClient, data: AccountData) -> None:
    viewer = await client.sign_in(data.partner, Role.VIEWER)
    as_shown = dict.fromkeys(
        ("account_alerts", "partner_alerts", "overrides", "deletions", "statements", "suspensions", "keys"), "none"
    )
    sent = await viewer.send("/profile/notifications", {**as_shown, "account_alerts": "daily"})
    assert sent.status_code == 303
    chosen = {one.kind: one.delivery for one in await client.cast.database.run(queries.preferences, viewer.member_id)}
    assert (chosen["account_alerts"], chosen["keys"], chosen["statements"]) == ("daily", "none", "none")
    page = (await viewer.get("/profile/notifications")).text
    assert '<option value="daily" selected>' in page
    assert "clusters" not in page
    refused = await viewer.send("/profile/notifications", {**as_shown, "account_alerts": "hourly"})
    assert refused.status_code == 422


async def test_admins_set_levels_and_others_see_them(client: AppClient, data: AccountData) -> None:
    admin, viewer = await client.sign_in(data.partner), await client.sign_in(data.partner, Role.VIEWER)
    assert (await admin.send("/alerts", {"levels": "70, 90 %, 100"})).status_code == 303
    assert "70, 90, 100" in (await admin.get("/alerts")).text
    shown = (await viewer.get("/alerts")).text
    assert "70, 90, 100" in shown
    assert "Save levels" not in shown
    for wrong in ("70, x", "90, 70", "0", "1,2,3,4,5,6", "70;90"):
        assert (await admin.send("/alerts", {"levels": wrong})).status_code == 422
    assert (await admin.send("/alerts", {"levels": ""})).status_code == 422
    assert (await admin.post("/alerts/inherited")).status_code == 303
    assert "50, 80, 90, 100 percent of the capacity: those of" in (await admin.get("/alerts")).text


async def test_the_list_shows_the_highest_level_of_each(client: AppClient, data: AccountData) -> None:
    admin = await client.sign_in(data.partner)
    await fill(client, data, 120)
    shown = (await admin.get("/alerts")).text
    assert shown.count(f"/partner/accounts/{data.account}") == 1
    assert "100%" in shown
    assert "Full</span>" in shown


@pytest.fixture
async def sealed(conninfo: str, tmp_path: Path) -> Any:
    file = key_file(tmp_path)
    async with application(conninfo, key_file=file) as client:
        yield client, file


async def test_the_link_of_a_mail_stops_such_mails_without_signing_in(sealed: tuple[AppClient, Path]) -> None:
    client, file = sealed
    data = await account_data(client)
    member = (await client.sign_in(data.partner)).member_id
    signature = read_keys(file).hmacs(PURPOSE, signed_text(member, Delivery.AT_ONCE))[0]
    link = unsubscribe_path(member, Delivery.AT_ONCE, signature)

    async def chosen() -> dict[str, str]:
        return {one.kind: one.delivery for one in await client.cast.database.run(queries.preferences, member)}

    before = await chosen()
    asked = await client.http.get(link)
    assert asked.status_code == 200
    assert "Stop these mails" in asked.text
    assert await chosen() == before
    # As a mail program does it: no cookie, no token, no page before.
    done = await client.http.post(link, data={"List-Unsubscribe": "One-Click"})
    assert done.status_code == 200
    stopped = {kind: "none" if delivery == "at_once" else delivery for kind, delivery in before.items()}
    assert await chosen() == stopped != before
    (action, actor) = await client.cast.row(
        "select action, actor_kind from audit_entry where subject_id = %s order by id desc limit 1", str(member)
    )
    assert (action, actor) == ("member.choose-notifications", "job")
    for wrong in (
        link[:-1] + ("0" if link[-1] != "0" else "1"),
        link.replace("at_once", "daily"),
        link.replace("at_once", "none"),
    ):
        assert (await client.http.get(wrong)).status_code == 404
        assert (await client.http.post(wrong)).status_code == 404


async def levels_by_api(client: AppClient, actor: Actor) -> Any:
    return (await client.call("GET", "/ext/v1/alert-levels", await client.key(actor, Role.VIEWER))).json()


async def test_levels_and_alerts_by_api(client: AppClient, data: AccountData) -> None:
    assert await levels_by_api(client, data.partner) == {"levels": [50, 80, 90, 100], "own": False}
    key = await client.key(data.partner)
    assert (await client.call("PUT", "/ext/v1/alert-levels", key, json={"levels": [90]})).status_code == 204
    assert await levels_by_api(client, data.partner) == {"levels": [90], "own": True}
    for wrong in ([90, 80], [], [0], [1.5], ["90"]):
        refused = await client.call("PUT", "/ext/v1/alert-levels", key, json={"levels": wrong})
        assert (refused.status_code, refused.json()["errors"][0]["field"].partition(".")[0]) == (422, "levels")
    staff = await client.key(data.partner, Role.STAFF)
    assert (await client.call("DELETE", "/ext/v1/alert-levels", staff)).status_code == 403
    await fill(client, data)
    [alert] = (await client.call("GET", "/ext/v1/alerts", staff)).json()
    assert (alert["subject"], alert["subjectId"], alert["level"]) == ("account", f"{data.account:012}", 90)
    assert (await client.call("GET", "/ext/v1/alerts", await client.key(data.distributor))).json() == [alert]
    assert (await client.call("DELETE", "/ext/v1/alert-levels", key)).status_code == 204
    assert await levels_by_api(client, data.partner) == {"levels": [50, 80, 90, 100], "own": False}
