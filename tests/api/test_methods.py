"""HEAD, OPTIONS and `Allow`, for the whole route table: pages, files, and what monitors and Prometheus read, too."""

import httpx
import pytest
from starlette.routing import Route

from tests.api.conftest import AccountData, AppClient
from tests.cast import Cast
from tonnage.access.actor import Actor
from tonnage.console.rendering import static_files

pytestmark = pytest.mark.anyio

DAYS = {"from": "2026-03-14", "to": "2026-03-15"}

OWN = {"x-request-id", "set-cookie", "ratelimit"}
"""Headers whose values differ from one response to the next."""


def ids_of(data: AccountData) -> dict[str, str]:
    return {
        "distributorID": str(data.distributor.organisation_id),
        "organisationID": str(data.partner.organisation_id),
        "contractID": str(data.contract),
        "partnerID": str(data.partner.organisation_id),
        "memberID": str(data.member),
        "accountID": str(data.account),
        "keyID": str(data.member),
        "sessionID": str(data.member),
        "blockID": str(data.member),
        "bookID": str(data.book),
        "number": "1",
        "statementID": str(data.statement),
        "adjustmentID": str(data.adjustment),
        "month": "2026-02",
        "line": "1",
        "validFrom": "2026-01-01",
        "accessKey": "TONNAGESTRANGE000000",
        "region": "nowhere",
        "jobID": "1",
        "webhookID": str(data.webhook.id),
        "secretID": str(data.webhook.secret),
        "deliveryID": str(data.webhook.delivery),
        "token": "unknown",
        "section": "over",
        "code": "not_found",
        "name": static_files.url("console.css").removeprefix("/static/"),
    }


def routes_of(client: AppClient) -> list[Route]:
    routes = [route for route in client.app.routes if isinstance(route, Route)]
    assert len(routes) > 100
    return routes


def paths(client: AppClient, data: AccountData) -> dict[str, set[str]]:
    """The methods of each path of the route table, with ids filled in."""
    ids = ids_of(data)
    found: dict[str, set[str]] = {}
    for route in routes_of(client):
        found.setdefault(route.path.format(**ids), set()).update(route.methods or ())
    return found


def headers_of(answer: httpx.Response, but: set[str]) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in but}


async def test_head_is_get_without_the_body(client: AppClient, data: AccountData) -> None:
    """For everybody: 200 for those who may, and the same refusal for all others."""
    actors: list[Actor] = [client.cast.operator, data.distributor, data.partner]
    callers = [client.http, *[(await client.sign_in(actor)).http for actor in actors]]
    authorized = [{"Authorization": f"Bearer {await client.key(actor)}"} for actor in actors]
    succeeded: set[str] = set()
    readable = [path for path, methods in paths(client, data).items() if "GET" in methods]
    for path in readable:
        compared = set[int]()
        for http, headers in [*((caller, {}) for caller in callers), *((client.http, one) for one in authorized)]:
            query = DAYS if path.endswith(("/usage", "/traffic")) else None
            whole = await http.get(path, headers=headers, params=query)
            # One refusal a path is enough, and one page: they come from the same middleware.
            if whole.status_code in compared:
                continue
            compared.add(whole.status_code)
            head = await http.head(path, headers=headers, params=query)
            assert (head.status_code, head.content) == (whole.status_code, b""), path
            # A page's length is that of its tokens after compression; a scrape's, that of its numbers.
            varies = "html" in whole.headers.get("content-type", "") or path == "/metrics"
            own = OWN | {"content-length"} if varies else OWN
            assert headers_of(head, own) == headers_of(whole, own), path
            if whole.status_code == 200:
                succeeded.add(path)
    missing = [path for path in readable if path not in succeeded]
    assert {"/healthz", "/readyz", "/metrics", "/openapi.json", "/v1/contract/list"} <= succeeded
    assert len(succeeded) > 80, missing


async def test_options_names_the_methods(client: AppClient, data: AccountData) -> None:
    """Without a key or a session; and nothing is written down."""
    entries = await audit_entries(client.cast)
    for path, methods in paths(client, data).items():
        answer = await client.http.options(path)
        allowed = {*methods, "OPTIONS", *(["HEAD"] if "GET" in methods else [])}
        # A path without parameters takes precedence over one that has an id in its place.
        assert (answer.status_code, answer.content) == (204, b""), path
        assert answer.headers["allow"] == ", ".join(sorted(allowed)), path
        for other in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE"} - allowed:
            refused = await client.http.request(other, path)
            assert (refused.status_code, refused.headers["allow"]) == (405, answer.headers["allow"]), (other, path)
    assert await audit_entries(client.cast) == entries


async def test_no_method_of_an_unknown_path(client: AppClient) -> None:
    for path in ("/v1/nowhere", "/v1/contract/list/", "/nowhere", "/static/", "/healthz/"):
        for method in ("OPTIONS", "HEAD", "GET"):
            answer = await client.http.request(method, path)
            assert (answer.status_code, "allow" in answer.headers) == (404, False), (method, path)


async def audit_entries(cast: Cast) -> int:
    (count,) = await cast.row("select count(*) from audit_entry")
    return count
