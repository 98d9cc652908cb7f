"""Changing a webhook on its page: what is refused stands at the field, and nobody's change is lost."""

import pytest

from tests.api.conftest import AccountData, AppClient
from tests.console.browsers import Browser
from tonnage.access.actor import Role

pytestmark = pytest.mark.anyio


@pytest.fixture
def path(data: AccountData) -> str:
    return f"/webhooks/{data.webhook.id}/settings"


@pytest.fixture
async def admin(client: AppClient, data: AccountData) -> Browser:
    return await client.sign_in(data.distributor)


async def stored(client: AppClient, data: AccountData) -> tuple[object, ...]:
    return await client.cast.row("select url, description, types from webhook_endpoint where id = %s", data.webhook.id)


NEW = {"url": " https://example.com/other ", "description": "Tickets", "type.account.alert": "on"}


def revision_of(page: str) -> str:
    return page.partition('name="revision" value="')[2].partition('"')[0]


async def test_an_admin_changes_it(client: AppClient, data: AccountData, admin: Browser, path: str) -> None:
    shown = (await admin.get(path)).text
    assert 'value="https://example.com/hooks"' in shown
    assert f'href="{path}"' in (await admin.get(path.removesuffix("/settings"))).text
    assert (await admin.post(path, {**NEW, "revision": revision_of(shown)})).status_code == 303
    assert await stored(client, data) == ("https://example.com/other", "Tickets", ["account.alert"])
    shown = (await admin.get(path)).text
    assert shown.count("checked") == 1
    fields = {"url": "https://example.com/other", "description": "", "revision": revision_of(shown)}
    assert (await admin.post(path, fields)).status_code == 303
    assert await stored(client, data) == ("https://example.com/other", None, None)


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("url", {"url": "http://example.com/hooks"}),
        ("url", {"url": "https://127.0.0.1/hooks"}),
        ("url", {"url": ""}),
        ("description", {"description": "x" * 300}),
        ("types", {"type.region.failed": "on"}),
    ],
)
async def test_what_is_refused_stands_at_its_field(
    client: AppClient, data: AccountData, admin: Browser, path: str, field: str, fields: dict[str, str]
) -> None:
    revision = revision_of((await admin.get(path)).text)
    before = await stored(client, data)
    answer = await admin.post(path, {**NEW, **fields, "revision": revision})
    assert answer.status_code == 422
    wrong = answer.text.partition(f'id="{field}-error"' if field != "types" else "<legend>Events</legend>")[2]
    assert wrong.partition("</fieldset>")[0].strip()
    assert 'class="error"' in answer.text
    assert f'value="{revision}"' in answer.text
    assert await stored(client, data) == before


async def test_a_form_that_is_older_than_another_change_is_refused(
    client: AppClient, data: AccountData, admin: Browser, path: str
) -> None:
    colleague = await client.sign_in(data.distributor, Role.ADMIN, "Colleague")
    mine, theirs = [revision_of((await browser.get(path)).text) for browser in (admin, colleague)]
    changed = {"url": "https://example.com/theirs", "revision": theirs}
    assert (await colleague.post(path, changed)).status_code == 303
    answer = await admin.post(path, {**NEW, "revision": mine})
    assert answer.status_code == 409
    assert "Now https://example.com/theirs." in answer.text
    assert 'value="https://example.com/other"' in answer.text.replace(" https://", "https://").replace(
        'other "', 'other"'
    )
    assert (await stored(client, data))[0] == "https://example.com/theirs"
    assert (await admin.post(path, {**NEW, "revision": revision_of(answer.text)})).status_code == 303
    assert (await stored(client, data))[0] == "https://example.com/other"
    assert (await admin.post(path, NEW)).status_code == 409  # without a revision


async def test_nobody_else_changes_it(client: AppClient, data: AccountData, path: str) -> None:
    staff = await client.sign_in(data.distributor, Role.STAFF)
    assert (await staff.get(path)).status_code == 403
    for stranger in (data.partner, await client.cast.distributor(), client.cast.operator):
        browser = await client.sign_in(stranger)
        assert (await browser.get(path)).status_code == 404
        assert (await browser.post(path, {**NEW, "revision": "1"})).status_code == 404
