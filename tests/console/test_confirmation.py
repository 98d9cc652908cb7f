"""Pages that ask for a confirmation."""

from datetime import UTC, datetime
from typing import Any, cast

import pytest
from starlette.requests import Request
from starlette.responses import Response

from tests.api.conftest import AccountData, AppClient
from tonnage.access.actor import Role
from tonnage.console.confirmation import Confirmation, confirm
from tonnage.console.cookies import Cookies
from tonnage.console.page_request import PageRequest
from tonnage.error_codes import ConflictCode
from tonnage.errors import Conflict

pytestmark = pytest.mark.anyio


async def answered(client: AppClient, method: str, *, asks: bool, refusal: Exception | None = None) -> Response:
    scope: dict[str, Any] = {
        "type": "http",
        "app": client.app,
        "method": method,
        "path": "/thing/delete",
        "headers": [],
    }
    request = Request({**scope, "scheme": "http", "query_string": b""})
    nobody = cast("Any", None)
    page = PageRequest(request, nobody, "", Cookies(request), datetime(2026, 3, 1, tzinfo=UTC), nobody, {})

    async def ask() -> Confirmation | None:
        assert asks, "there is nothing to ask"
        return None

    async def act() -> None:
        if refusal:
            raise refusal

    return await confirm(page, ask, act, done="/things", notice="Done")


async def test_a_completed_action_is_not_asked_again(client: AppClient) -> None:
    done = await answered(client, "POST", asks=False)
    assert (done.status_code, done.headers["location"]) == (303, "/things")
    assert "set-cookie" in done.headers
    nothing = await answered(client, "GET", asks=True)
    assert (nothing.status_code, nothing.headers["location"]) == (303, "/things")
    assert "set-cookie" not in nothing.headers


async def test_a_refusal_is_not_lost_where_there_is_nothing_to_ask(client: AppClient) -> None:
    with pytest.raises(Conflict, match="too late"):
        await answered(client, "POST", asks=True, refusal=Conflict("It is too late.", ConflictCode.ACCOUNT_DELETING))


async def test_a_refusal_is_shown_with_the_question(client: AppClient, data: AccountData) -> None:
    admin = await client.sign_in(data.distributor, Role.ADMIN)
    path = f"/distributor/partners/{data.partner.organisation_id}/delete"
    asked, refused = await admin.get(path), await admin.send(path)
    assert (asked.status_code, refused.status_code) == (200, 409)
    assert 'role="alert"' not in asked.text
    assert 'role="alert"' in refused.text
    for page in (asked, refused):
        assert "Its past usage stays on the contract. You cannot undo this." in page.text
        assert f'action="{path}"' in page.text
