"""Pages of no audience: the start page, the theme, and pages that do not exist."""

import re

import pytest

from tests.api.conftest import AppClient
from tonnage.access.actor import Role
from tonnage.console.home import path_within

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("path", ["/", "/team", "/distributor/partners?show=over&page=2"])
def test_an_address_of_ours_is_kept(path: str) -> None:
    assert path_within(path) == path


ELSEWHERE = ["", "team", "//evil.example", "/\\evil.example", "https://evil.example/", "javascript:alert(1)"]


@pytest.mark.parametrize("text", [*ELSEWHERE, "/a\r\nb", "/\t/evil"])
def test_foreign_addresses_lead_to_the_start_page(text: str) -> None:
    assert path_within(text) == "/"


async def test_everybody_begins_with_their_own_page(client: AppClient) -> None:
    cast = client.cast
    distributor = await cast.distributor()
    partner = await cast.partner(distributor, await cast.contract(distributor))
    for actor, path in (
        (cast.operator, "/operator"),
        (distributor, "/distributor"),
        (partner, "/partner"),
    ):
        browser = await client.sign_in(actor, Role.VIEWER)
        answer = await browser.get("/")
        assert (answer.status_code, answer.headers["location"]) == (303, path)


async def test_the_theme_is_kept_in_a_cookie(client: AppClient) -> None:
    browser = await client.sign_in(await client.cast.distributor())
    answer = await browser.post("/theme", {"theme": "dark", "back": "/team"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/team")
    assert 'data-theme="dark"' in (await browser.get("/team")).text
    await browser.post("/theme", {"theme": "system"})
    assert "data-theme=" not in (await browser.get("/team")).text.split("<head>")[0]
    assert (await browser.http.post("/theme", data={"theme": "dark"})).status_code == 403


async def test_the_theme_can_be_chosen_on_a_page_that_is_not_there(client: AppClient) -> None:
    browser = await client.sign_in(await client.cast.distributor())
    missing = await browser.get("/nowhere")
    assert missing.status_code == 404
    token = re.search(r'name="csrf" value="([^"]+)"', missing.text)
    assert token
    answer = await browser.http.post("/theme", data={"csrf": token[1], "theme": "light", "back": "/nowhere"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/nowhere")


async def test_a_program_gets_refusals_as_json(client: AppClient) -> None:
    http = client.http
    for path, accept in (("/v1/nowhere", "text/html"), ("/nowhere", "*/*"), ("/ext/v1/nowhere", "text/html")):
        answer = await http.get(path, headers={"Accept": accept})
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    page = await http.get("/nowhere", headers={"Accept": "text/html"})
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    wrong_method = await http.delete("/team", headers={"Accept": "text/html"})
    assert (wrong_method.status_code, wrong_method.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
