"""Both documents against the application, with generated data that is valid and invalid."""

import asyncio
import itertools
import re
from collections.abc import Generator
from dataclasses import dataclass
from importlib import import_module
from typing import Any, cast
from uuid import UUID

import pytest
import requests
import schemathesis as library
from hypothesis import HealthCheck, settings
from schemathesis.core.parameters import ParameterLocation

from tests.api.conftest import CHEAP
from tests.cast import NOW, TB, Cast
from tests.clocks import clocks
from tests.data_dir import DATA_DIR
from tests.served import served
from tests.statements.inserted import adjust, insert_statement
from tonnage.asgi import create_app
from tonnage.config import Limits
from tonnage.db import connect
from tonnage.passwords import Passwords
from tonnage.web import openapi
from tonnage.web.swagger2 import to_swagger2

# Typed with holes, which strict type checking does not let pass.
schemathesis: Any = library
checks: Any = import_module("schemathesis.specs.openapi.checks")

# The application runs in a thread of this process, and draws random numbers while data are generated.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the .random. module inside strategies")

NUMBERS = itertools.count()


@dataclass(frozen=True)
class ServedClient:
    """A running server with test data."""

    origin: str
    keys: dict[str, str]
    contract: UUID
    region: str
    ids: dict[str, str]
    session: requests.Session


async def served_client(conninfo: str, origin: str, session: requests.Session) -> ServedClient:
    async with connect(conninfo) as database:
        cast = await Cast.of(database)
        region = await cast.region()
        distributor = await cast.distributor()
        contract = await cast.contract(distributor, 1000 * TB)
        partner = await cast.partner(distributor, contract, 100 * TB)
        account = await cast.account(partner, TB)
        keys = {"Distributors": await cast.key(distributor), "Partners": await cast.key(partner)}
        keys["Prices"] = keys["Statements"] = keys["Distributors"]
        ids = {"contractID": str(contract), "partnerID": str(partner.organisation_id), "accountID": str(account)}
        statement = await database.run(insert_statement, distributor, partner, contract)
        adjustment = await adjust(cast, distributor, partner)
        ids |= {"statementID": str(statement), "adjustmentID": str(adjustment), "month": "2026-02"}
        ids["bookID"] = str(await cast.price_book(distributor))
        return ServedClient(origin, keys, contract, region, ids, session)


@pytest.fixture(scope="module")
def client(conninfo: str) -> Generator[ServedClient]:
    app = create_app(
        conninfo,
        **clocks(lambda: NOW),
        passwords=Passwords(CHEAP),
        limits=Limits(requests_per_second=1_000_000),
        # Numbers are recorded in it: the clusters of regions that other tests have left cannot be reached.
        data_dir=DATA_DIR,
    )
    with served(app) as origin, requests.Session() as session:
        yield asyncio.run(served_client(conninfo, origin, session))


GENERATION = {"deterministic": True, "no-shrink": True}
CONFIG = schemathesis.Config.from_dict({"generation": GENERATION})
# Without the cases at each limit, five of six: the document is converted from the other one, limit by limit.
FEWER = schemathesis.Config.from_dict({"generation": GENERATION, "phases": {"coverage": {"enabled": False}}})
SETTINGS = settings(
    max_examples=8,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)

# The operations are needed when tests are collected, before there is a database; the documents need none.
OPENAPI = openapi.openapi_document(create_app(""))
SWAGGER = to_swagger2(OPENAPI, "/v1")

TOO_STRICT = [
    # Valid data may break a rule that no schema can express: `from` not after `to`, a cursor that was issued,
    # no control characters.
    checks.positive_data_acceptance,
]

FRAMING = {"content-length", "transfer-encoding", "connection", "upgrade", "expect", "host"}
"""Headers that the HTTP server before the application checks."""

CONDITIONS = {"if-match", "idempotency-key"}
"""Headers that refuse a request which is well: with an arbitrary value, because of the state of a thing."""


@schemathesis.openapi.from_dict(SWAGGER, config=FEWER).parametrize()
@SETTINGS
def test_swagger(case: Any, client: ServedClient) -> None:
    check(case, client, f"{client.origin}/v1")


@schemathesis.openapi.from_dict(OPENAPI, config=CONFIG).parametrize()
@SETTINGS
def test_openapi(case: Any, client: ServedClient) -> None:
    check(case, client, client.origin)


def check(case: Any, client: ServedClient, url: str) -> None:
    key = next((client.keys[tag] for tag in case.operation.tags or () if tag in client.keys), None)
    use_existing_ids(case, client)
    for name in (FRAMING | CONDITIONS) & {name.lower() for name in case.headers}:
        del case.headers[name]
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    response = case.call(url, client.session, headers)
    excluded = list(TOO_STRICT)
    if set(case.query or ()) - {parameter.name for parameter in case.operation.query}:
        # An unknown parameter is ignored, as an unknown field of a body is.
        excluded.append(checks.negative_data_rejection)
    body: Any = case.body
    if has_null(body):
        # In an optional field null is the same as no field. The documents have one way to write that.
        excluded.append(checks.negative_data_rejection)
    if response.status_code == 204:
        # In Swagger 2.0 what an operation produces holds for all its answers, even for one without a body.
        assert response.content == b""
        excluded.append(checks.content_type_conformance)
    case.validate_response(response, excluded_checks=excluded, headers=headers, transport_kwargs={"base_url": url})


def has_null(value: Any) -> bool:
    """Whether a member of an object is null, at any depth."""
    if isinstance(value, list):
        return any(map(has_null, cast("list[Any]", value)))
    members = cast("dict[str, Any]", value).values() if isinstance(value, dict) else ()
    return any(member is None or has_null(member) for member in members)


def use_existing_ids(case: Any, client: ServedClient) -> None:
    """Puts ids of the test data into valid requests: otherwise every response would be 404."""
    if is_valid(case, ParameterLocation.PATH):
        case.path_parameters = {name: client.ids.get(name, value) for name, value in case.path_parameters.items()}
    for name in {"from", "to"} & set(case.query or ()):
        # The 2.0 document has the published name of the format, yyyy-mm-dd, for which there is no generator.
        if is_valid(case, ParameterLocation.QUERY) and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", case.query[name]):
            case.query[name] = "2026-03-15"
    body: Any = case.body if is_valid(case, ParameterLocation.BODY) else None
    if isinstance(body, dict):
        body = cast("dict[str, Any]", body)
        if "distributorContractId" in body:
            body["distributorContractId"] = str(client.contract)
        if "region" in body:
            body["region"] = client.region
        person: dict[str, Any] = body.get("clientAccount", body)
        for field in {"email", "contactEmail", "password"} & person.keys():
            person[field] = "Sesame-opens-1" if field == "password" else f"{next(NUMBERS)}@example.org"


def is_valid(case: Any, place: ParameterLocation) -> bool:
    component = case.meta.components.get(place) if case.meta else None
    return component is not None and component.mode is schemathesis.GenerationMode.POSITIVE
