"""Every operation, called by every kind of caller without the right to it. The operations come from the route table."""

import re
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from tests.api.conftest import AccountData, AppClient, account_data
from tonnage.access.actor import Actor, Role
from tonnage.web.routing import auth_dependencies

pytestmark = pytest.mark.anyio

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mNgAAAAAgAB5Sfe/AAAAABJRU5ErkJggg=="
"""One grey pixel."""

BODIES: dict[str, dict[str, Any]] = {
    "partnerDetails": {"name": "Taken over", "allocatedCapacity": 1, "distributorContractId": "{contractID}"},
    "contract": {"distributorContractId": "{contractID}"},
    "memberDetails": {"email": "stranger@example.org", "password": "Sesame-opens-1", "role": "admin"},
    "storageAccountDetails": {
        "name": "Strange",
        "allocatedCapacity": 0,
        "allowOverdraft": False,
        "clientAccount": {"contactEmail": "strange@example.org", "password": "Sesame-opens-1"},
        "pendingDeletedAt": None,
    },
    "accessKeyDetails": {"description": "Of a stranger"},
    "password": {"password": "Sesame-opens-2"},
    "suspension": {"reason": "A stranger wants it"},
    "override": {"capacity": 5_000_000_000_000, "until": "2026-03-20", "reason": "A stranger wants it"},
    "overdraftCap": {"percent": 10},
    "webhook": {"url": "https://example.com/hooks"},
    "webhookChange": {"enabled": False},
    "replay": {"since": "2026-01-01T00:00:00Z"},
    "alertLevels": {"levels": [50]},
    "contactMails": {"enabled": False},
    "priceBook": {"name": "Strange prices", "currency": "EUR"},
    "version": {"validFrom": "2099-02-01", "reserved": "1"},
    "assignment": {"priceBook": None, "validFrom": "2099-02-01"},
    "billingProfile": {
        "legalName": "Strange & Co",
        "addressLine1": "1 Harbour Row",
        "city": "Hull",
        "country": "GB",
    },
    "billingSettings": {"document": "invoice"},
    "logo": {"image": PNG},
    "note": {"reason": "A stranger wants it"},
    "void": {"reason": "A stranger wants it"},
    "payment": {"paidOn": "2026-03-04", "reference": "Line 4"},
    "adjustment": {"buyer": "{partnerID}", "amount": "-5.00", "currency": "EUR", "reason": "A stranger wants it"},
    "taxRates": {"rates": [{"validFrom": "2026-01-01", "percent": "19"}]},
}
"""A valid body for each body parameter's name. An operation with another name fails here until it has
an entry."""

ACCESS_KEY = "TONNAGESTRANGE000000"

STAFF_DELETES = ("/suspension", "/override", "/overdraft-cap", f"/access-keys/{ACCESS_KEY}")
"""Ends of the paths that staff may DELETE."""


BY_ADMINS = (
    "/alert-levels",
    "/contact-mails",
    "/billing-profile",
    "/billing-settings",
    "/billing-settings/logo",
    "/tax-rates",
)
"""Ends of the paths of what only admins set."""


class Operation:
    """One route with the ids of the test data filled in."""

    def __init__(self, route: APIRoute, ids: dict[str, str]) -> None:
        (self.method,) = route.methods or set[str]()
        self.path = route.path.format(accessKey=ACCESS_KEY, **ids)
        self.named = "{" in route.path.replace("{month}", "")
        self.sellers = route.tags in (["Prices"], ["Statements"], ["Webhooks"])
        """Of any kind; those of distributors are tried, and of what only a partner can do, a partner's."""
        of_partner = self.sellers and "{accountID}" in route.path
        self.distributors = route.tags == ["Distributors"] or (self.sellers and not of_partner)
        self.both = route.tags[:2] == ["Distributors", "Partners"] or route.tags == ["Events"]
        self.operators = route.tags == ["Operators"]
        self.needs_admin = self.sellers or route.path.endswith(BY_ADMINS)
        self.more: dict[str, Any] = {}
        if route.body_field is not None:
            alias = route.dependant.body_params[0].alias
            body = {name: v.format(**ids) if isinstance(v, str) else v for name, v in BODIES[alias].items()}
            self.more["json"] = body
            self.named |= not {"{contractID}", "{partnerID}"}.isdisjoint(map(str, BODIES[alias].values()))
        if asks_for_days(route.dependant):
            self.more["params"] = {"from": "2026-03-01", "to": "2026-03-15"}

    def __repr__(self) -> str:
        return f"{self.method} {self.path}"

    def actor(self, data: AccountData, client: AppClient) -> Actor:
        """Who may call it."""
        if self.operators:
            return client.cast.operator
        return data.distributor if self.distributors else data.partner


def asks_for_days(dependant: Dependant) -> bool:
    return any(parameter.alias == "from" for parameter in dependant.query_params) or any(
        asks_for_days(inner) for inner in dependant.dependencies
    )


def guarded(client: AppClient, ids: dict[str, str]) -> list[Operation]:
    routes = [route for route in client.app.routes if isinstance(route, APIRoute) and route.include_in_schema]
    open_to_all = [route.path for route in routes if not list(auth_dependencies(route.dependant))]
    assert open_to_all == ["/v1/integration/regions/list"]
    # Those of the operator's sandbox are tested in tests/sandbox.
    others = [route for route in routes if route.tags != ["Sandbox"]]
    operations = [Operation(route, ids) for route in others if list(auth_dependencies(route.dependant))]
    assert len(operations) >= 24
    return operations


def ids_of(data: AccountData) -> dict[str, str]:
    return {
        "distributorID": str(data.distributor.organisation_id),
        "contractID": str(data.contract),
        "partnerID": str(data.partner.organisation_id),
        "memberID": str(data.member),
        "accountID": str(data.account),
        "bookID": str(data.book),
        "number": "1",
        "statementID": str(data.statement),
        "adjustmentID": str(data.adjustment),
        "webhookID": str(data.webhook.id),
        "secretID": str(data.webhook.secret),
        "deliveryID": str(data.webhook.delivery),
        "month": "2026-02",
        "line": "1",
    }


@pytest.fixture
async def data_unchanged(client: AppClient, data: AccountData) -> AsyncGenerator[None]:
    """The refused calls leave the data unchanged."""
    query = """
        select jsonb_agg(to_jsonb(t)) from (
            select to_jsonb(p) - 'used' as row from partner p where id = %s union all
            select to_jsonb(o) from organisation o where id = %s union all
            select to_jsonb(k) from contract k where id = %s union all
            select to_jsonb(s) from storage_account s where id = %s union all
            select to_jsonb(m) from member m where id = %s union all
            select to_jsonb(b) from billing_profile b
            where organisation_id in (%s, %s) or account_id = %s) t"""
    partner, distributor = data.partner.organisation_id, data.distributor.organisation_id
    things = (partner, partner, data.contract, data.account, data.member, partner, distributor, data.account)
    before = await client.cast.row(query, *things)
    yield
    assert await client.cast.row(query, *things) == before


@pytest.mark.usefixtures("data_unchanged")
async def test_without_a_key(client: AppClient, data: AccountData) -> None:
    for operation in guarded(client, ids_of(data)):
        for headers in ({}, {"Authorization": "Basic dTpw"}, {"Authorization": "Bearer"}):
            answer = await client.call(operation.method, operation.path, headers=headers, **operation.more)
            assert (answer.status_code, answer.json()["detail"]) == (401, "Authorization header is missing"), operation
            assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.usefixtures("data_unchanged")
async def test_a_key_of_the_wrong_kind(client: AppClient, data: AccountData) -> None:
    operator = await client.key(client.cast.operator)
    for operation in guarded(client, ids_of(data)):
        if operation.both or operation.sellers:
            continue
        other = await client.key(data.partner if operation.distributors else data.distributor)
        for key in (await client.key(data.partner) if operation.operators else operator, other):
            answer = await client.call(operation.method, operation.path, key, **operation.more)
            assert answer.status_code == 403, operation
            needed = (
                "a distributor" if operation.distributors else "an operator" if operation.operators else "a partner"
            )
            assert f"key with the role admin; this operation needs {needed}'s key" in answer.json()["detail"]


@pytest.mark.usefixtures("data_unchanged")
async def test_a_key_of_another_organisation(client: AppClient, data: AccountData) -> None:
    client.with_key_file()
    stranger = await account_data(client)
    secrets = [
        *(one for one in ids_of(data).values() if len(one) > len("2026-02")),
        str(data.distributor.organisation_id),
    ]
    for operation in guarded(client, ids_of(data)):
        if operation.operators:
            continue  # there is one operator
        key = await client.key(stranger.distributor if operation.distributors else stranger.partner)
        answer = await client.call(operation.method, operation.path, key, **operation.more)
        if operation.named:
            assert answer.status_code == 404, (operation, answer.text)
        else:
            assert answer.status_code in {200, 201, 204}, (operation, answer.text)
            assert not any(secret in answer.text for secret in secrets)


@pytest.mark.usefixtures("data_unchanged")
async def test_ones_own_id_in_the_place_of_another(client: AppClient, data: AccountData) -> None:
    """A distributor is not its own partner: otherwise its staff could make themselves admins."""
    own = {
        name: str(data.distributor.organisation_id) for name in ("contractID", "partnerID", "memberID", "distributorID")
    }
    key = await client.key(data.distributor)
    for operation in guarded(client, {**ids_of(data), **own}):
        if operation.distributors and any(one in operation.path for one in own.values()):
            answer = await client.call(operation.method, operation.path, key, **operation.more)
            assert answer.status_code == 404, (operation, answer.text)


@pytest.mark.usefixtures("data_unchanged")
async def test_a_sibling_partner(client: AppClient, data: AccountData) -> None:
    """The same distributor, but the resource belongs to another of its partners."""
    sibling = await client.cast.partner(data.distributor, data.contract)
    ids = {**ids_of(data), "partnerID": str(sibling.organisation_id)}
    key = await client.key(data.distributor)
    tried = 0
    for operation in guarded(client, ids):
        if operation.distributors and any(ids[name] in operation.path for name in ("accountID", "memberID")):
            answer = await client.call(operation.method, operation.path, key, **operation.more)
            assert answer.status_code == 404, operation
            tried += 1
    assert tried >= 5


@pytest.mark.usefixtures("data_unchanged")
async def test_roles_that_do_not_suffice(client: AppClient, data: AccountData) -> None:
    refused = {Role.VIEWER: 0, Role.STAFF: 0}
    for operation in guarded(client, ids_of(data)):
        actor = operation.actor(data, client)
        lacking = {"GET": [], "DELETE": [Role.VIEWER, Role.STAFF]}.get(operation.method, [Role.VIEWER])
        if operation.needs_admin and operation.method != "GET":
            lacking = [Role.VIEWER, Role.STAFF]
        if operation.method == "DELETE" and operation.path.endswith(STAFF_DELETES):
            lacking = [Role.VIEWER]
        for role in lacking:
            answer = await client.call(
                operation.method, operation.path, await client.key(actor, role), **operation.more
            )
            assert answer.status_code == 403, operation
            assert f"'s key with the role {role}; this operation needs a" in answer.json()["detail"]
            assert re.search(r"'s key with the role (staff or )?admin\.$", answer.json()["detail"])
            refused[role] += 1
    assert refused[Role.VIEWER] > refused[Role.STAFF] > 0


async def test_a_viewer_reads_everything(client: AppClient, data: AccountData) -> None:
    for operation in guarded(client, ids_of(data)):
        # A line needs use: tests/statements. What receivers of webhooks have answered is for admins.
        if operation.method == "GET" and not operation.path.endswith(("/working", "/deliveries")):
            actor = operation.actor(data, client)
            answer = await client.call("GET", operation.path, await client.key(actor, Role.VIEWER), **operation.more)
            assert answer.status_code == 200, operation
