"""Errors of the console: a member stays in the frame of the console, and a role is compared before a form is read."""

from uuid import UUID

import pytest

from tests.api.conftest import AppClient
from tests.console.browsers import Browser
from tonnage.access.actor import Actor, Role

pytestmark = pytest.mark.anyio

SIGN_OUT = 'action="/sign-out"'


async def distributor_of(client: AppClient, role: Role) -> tuple[Actor, Browser]:
    distributor = await client.cast.distributor()
    return distributor, await client.sign_in(distributor, role)


@pytest.mark.parametrize("path", ["/operator", f"/distributor/partners/{UUID(int=1)}"])
async def test_a_page_that_is_not_found_has_the_frame_of_its_member(client: AppClient, path: str) -> None:
    _, browser = await distributor_of(client, Role.STAFF)
    answer = await browser.get(path)
    assert answer.status_code == 404
    assert SIGN_OUT in answer.text
    assert 'href="/distributor"' in answer.text


async def test_a_form_that_the_role_does_not_allow_has_the_frame_too(client: AppClient) -> None:
    distributor, browser = await distributor_of(client, Role.VIEWER)
    contract = await client.cast.contract(distributor)
    answer = await browser.post("/distributor/partners/new", {"contract": str(contract), "name": "A"})
    assert answer.status_code == 403
    assert SIGN_OUT in answer.text


async def test_the_role_is_compared_before_the_form_is_read(client: AppClient) -> None:
    _, browser = await distributor_of(client, Role.VIEWER)
    answer = await browser.http.post("/distributor/partners/new", data={"csrf": "guessed"})
    assert answer.status_code == 403
    assert "the role staff" in answer.text


async def test_an_error_before_the_sign_in_is_outside(client: AppClient) -> None:
    answer = await client.http.get("/nowhere", headers={"Accept": "text/html"})
    assert (answer.status_code, SIGN_OUT in answer.text) == (404, False)
