"""The closed list of error codes: what is raised, what the documents list, and the page of each."""

import ast
import re
from collections.abc import Iterator
from html import unescape

import pytest
from pydantic.alias_generators import to_camel

from tests.api.conftest import AppClient
from tests.api.listed_codes import NAMES, check_problem, document
from tests.api.reachable_codes import handlers, reachable_codes
from tests.house.tree import show
from tests.source import FILES, SOURCE, nodes, texts
from tonnage.error_codes import CODES, Code, ConflictCode, RequestCode, UnavailableCode
from tonnage.idempotency.idempotent_route import IdempotentRoute
from tonnage.web.error_responses import NUMBERS
from tonnage.web.problem import MEDIA_TYPE, problem_example

pytestmark = pytest.mark.anyio

STATUSES = {"Malformed": {400}, "Unauthenticated": {401}, "Forbidden": {403}, "Conflict": {409}, "Unavailable": {503}}

NOT_BY_API = {
    ConflictCode.NOT_ADOPTABLE: "the API names no user of a cluster that a new account would be",
    RequestCode.REAUTHENTICATION_REQUIRED: "a key is a proof",
}
"""What an action refuses to others than the API."""


def _raised() -> Iterator[Code]:
    """The codes that the source names, except where the documents list them."""
    by_name = {(type(code).__name__, code.name): code for code in CODES}
    for path in FILES:
        where = path.relative_to(SOURCE)
        if where.parts[0] == "error_codes" or where.name == "error_responses.py":
            continue
        for node in nodes(path):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                code = by_name.get((node.value.id, node.attr))
                if code is not None and "api" not in {path.stem, path.parent.name}:
                    yield code


def test_every_code_is_raised_somewhere() -> None:
    show([f"{code} is raised nowhere" for code in set(CODES) - set(_raised())])


def test_an_error_has_a_code_of_its_status() -> None:
    found: list[str] = []
    for path in FILES:
        for node in nodes(path):
            name = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
            if isinstance(node, ast.Call) and name in STATUSES:
                for part in node.args:
                    code = NAMES.get(part.attr.lower()) if isinstance(part, ast.Attribute) else None
                    if code is not None and code.status not in STATUSES[name]:
                        found.append(f"{path}:{node.lineno}: {name} with {code}, which has the status {code.status}")
    show(found)


def _patterns() -> list[re.Pattern[str]]:
    """Of all sentences of the source. A value may be anything."""
    sentences = [text for path in FILES if path.parent.name != "error_codes" for text in texts(path)]
    return [
        re.compile(".+".join(map(re.escape, re.split(r"\{\w*\}", text))))
        for text in sentences
        if text.startswith("{field}: ") or len(re.sub(r"\{\w*\}", "", text)) > 10
    ]


def test_the_product_says_the_examples() -> None:
    patterns = _patterns()
    examples = {code: code.explanation.example for code in CODES}
    show(
        [
            f"{code}: nothing says {said!r}"
            for code, said in examples.items()
            if not any(pattern.fullmatch(said) for pattern in patterns)
        ]
    )


def test_the_numbers_of_the_examples_are_in_the_sentence_and_in_the_documents() -> None:
    for code in CODES:
        about = code.explanation
        assert all(str(number) in about.example for number in about.numbers.values()), code
        assert set(about.numbers) <= set(NUMBERS), code
    assert set(NUMBERS) == {name for code in CODES for name in code.explanation.numbers}
    members = set(problem_example(RequestCode.VALIDATION_FAILED))
    assert not members & set(map(to_camel, NUMBERS))


def test_every_operation_lists_the_codes_that_its_handler_can_reach() -> None:
    found: list[str] = []
    of = handlers()
    for path, item in document()["paths"].items():
        for method, operation in item.items():
            name = re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", operation["operationId"])
            handler = of[name] if name in of else of[name.replace("_partner_", "_", 1)]
            listed = {NAMES[code] for code in operation["x-error-codes"]}
            reached = reachable_codes(*handler) - NOT_BY_API.keys()
            if method == "get":  # a row's `revision` has the name of the property that reads If-Match
                reached -= {RequestCode.MALFORMED_PARAMETER}
            found += [f"{method} {path} can refuse with {code}, and does not list it" for code in reached - listed]
            general = {ConflictCode.CHANGED_MEANWHILE, UnavailableCode.DATABASE_UNAVAILABLE, UnavailableCode.LOCKED}
            general |= {UnavailableCode.DATABASE_READ_ONLY, UnavailableCode.IN_DOUBT, UnavailableCode.BUSY}
            general |= {*IdempotentRoute.change_codes, ConflictCode.SECRET_NOT_KEPT}
            own = {code for code in listed - general if isinstance(code, ConflictCode | UnavailableCode)}
            found += [f"{method} {path} lists {code}, which nothing there raises" for code in own - reached]
    show(found)


def test_every_operation_has_a_response_with_an_example_of_each_code() -> None:
    responses = document()["components"]["responses"]
    for path, item in document()["paths"].items():
        for method, operation in item.items():
            shown = {
                code
                for response in operation["responses"].values()
                if "$ref" in response
                for code in responses[response["$ref"].rpartition("/")[2]]["content"][MEDIA_TYPE]["examples"]
            }
            assert shown == set(operation["x-error-codes"]), (method, path)


async def test_every_code_has_a_page(client: AppClient) -> None:
    page = await client.call("GET", "/errors")
    index = page.text
    for code in CODES:
        page = await client.call("GET", f"/errors/{code}")
        assert page.status_code == 200
        assert page.headers["content-type"].startswith("text/html")
        text = unescape(re.sub("</?code>", "`", page.text))
        for said in (code.explanation.meaning, code.explanation.remedy, f'"type": "http://tonnage/errors/{code}"'):
            assert said in text, code
        assert f'href="/errors/{code}"' in index
    assert "sha256-" in page.headers["content-security-policy"]
    unknown = await client.call("GET", "/errors/no_such_code")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_path")


async def test_the_public_url_is_where_the_pages_are(client: AppClient) -> None:
    client.app.state.public_url = "https://console.example.com"
    problem = (await client.http.get("/v1/nothing", headers={"Host": "internal:8080"})).json()
    assert problem["type"] == "https://console.example.com/errors/unknown_path"
    client.app.state.public_url = None
    for host in ("a b", '"><script>'):
        problem = (await client.http.get("/v1/nothing", headers={"Host": host})).json()
        assert problem["type"] == "/errors/unknown_path"


async def test_framework_errors_have_codes(client: AppClient) -> None:
    for method, path, code in (
        ("GET", "/v1/nothing", "unknown_path"),
        ("DELETE", "/v1/contract/list", "method_not_allowed"),
        ("GET", "/v1/contract/list", "authorization_missing"),
    ):
        response = await client.http.request(method, path)
        check_problem(response)
        assert response.json()["code"] == code
