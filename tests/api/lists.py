"""Every list of the application, from its route table: how to read it, and how to add an element."""

import re
import uuid
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any, get_origin
from uuid import UUID

from fastapi.routing import APIRoute

from tests.api.changes import override
from tests.api.conftest import AccountData, AppClient, account_data
from tests.cast import unique
from tests.statements.inserted import adjust, insert_statement
from tests.usage.steps import purge
from tests.webhooks.inserted import insert_webhook
from tonnage.access.actor import Actor
from tonnage.access_keys import queries as access_key_queries
from tonnage.access_keys.access_key import new_access_key
from tonnage.db import Connection
from tonnage.members import actions as members
from tonnage.partners import actions as partners
from tonnage.price_books import actions as price_books
from tonnage.price_books.assignment import NewAssignment, Subject, SubjectKind
from tonnage.price_books.version import NewVersion, Prices

_KEPT = ("/statements", "/adjustments", "/alerts", "/webhooks", "/overrides")
"""Ends of the paths of lists whose elements are not deleted."""
DAYS = {"from": "2026-03-14", "to": "2026-03-15"}


@dataclass
class List:
    """A list operation on test data, and the key that may read it. `x` is an unknown parameter."""

    client: AppClient
    data: AccountData
    path: str
    params: dict[str, str] = field(default_factory=lambda: {"x": "a&b c=ä", "empty": ""})

    @property
    def reader(self) -> Actor:
        route = next(route for route in _lists(self.client) if route.path == self.path)
        of_sellers = route.tags in (["Prices"], ["Statements"], ["Webhooks"])
        is_distributors = route.tags == ["Distributors"] or (of_sellers and "accountID" not in route.path)
        return self.data.distributor if is_distributors else self.data.partner

    async def get(self, url: str | None = None, **params: str) -> Any:
        partner = str(self.data.partner.organisation_id)
        ids = {
            "contractID": self.data.contract,
            "partnerID": partner,
            "accountID": self.data.account,
            "bookID": self.data.book,
            "number": 1,
            "webhookID": self.data.webhook.id,
        }
        url = url or self.path.format(**ids)
        more = {"params": {**self.params, **params}} if "?" not in url else {}
        return await self.client.call("GET", url, await self.client.key(self.reader), **more)

    async def whole(self) -> list[Any]:
        answer = await self.get()
        assert answer.status_code == 200, answer.text
        assert "link" not in answer.headers
        return answer.json()

    async def pages(self, limit: int) -> AsyncGenerator[list[Any]]:
        answer = await self.get(limit=str(limit))
        followed: set[str] = set()
        while True:
            assert answer.status_code == 200, answer.text
            yield answer.json()
            if "link" not in answer.headers:
                return
            link = re.fullmatch(r'<([^>]+)>; rel="next"', answer.headers["link"])
            assert link is not None
            assert link[1] not in followed
            followed.add(link[1])
            answer = await self.get(link[1])
            # Each parameter once: the page's own, without the limit and cursor of the previous page.
            asked = dict(query := answer.request.url.params.multi_items())
            assert len(asked) == len(query), link[1]
            assert asked == {**self.params, "limit": str(limit), "cursor": asked["cursor"]}, link[1]

    async def add(self) -> None:
        """Adds one element at the end."""
        cast, data = self.client.cast, self.data
        if self.path.endswith("/contract/list"):
            await cast.contract(data.distributor, details=unique("Contract"))
        elif self.path.endswith("/partners"):
            await cast.partner(data.distributor, data.contract)
        elif self.path.endswith("/members"):
            path = f"/v1/partner/{data.partner.organisation_id}/member"
            body = {"email": f"m{uuid.uuid4().hex}@example.org", "password": "Sesame-opens-1", "role": "viewer"}
            made = await self.client.call("POST", path, await self.client.key(data.distributor), json=body)
            assert made.status_code == 201
        elif self.path.endswith("/access-keys"):
            await cast.database.run(self._add_access_key)
        elif self.path.endswith("/statements"):
            partner = await cast.partner(data.distributor, data.contract)
            await cast.database.run(insert_statement, data.distributor, partner, data.contract)
        elif self.path.endswith("/adjustments"):
            await adjust(cast, data.distributor, data.partner)
        elif "price" in self.path:
            await self._add_prices()
        elif self.path.endswith("/overrides"):
            await override(self.client, data, of_partner="accountID" not in self.path)
        elif self.path.startswith(("/ext/v1/alerts", "/ext/v1/webhooks")):
            await self._add_alert_or_webhook()
        else:  # storage accounts and their usage; a new kind of list needs its own case here
            assert "storage-account" in self.path or self.path.endswith("/usage")
            await cast.account(data.partner)

    async def remove(self, element: str) -> None:
        """Deletes an element by its identity, unless other lists need it or there is no such deletion."""
        cast, data = self.client.cast, self.data
        owner = data.partner.organisation_id
        if element in {str(owner), f"{data.account:012}"} or self.path.endswith("/contract/list"):
            return
        if self.path.endswith(("/partners", "/preview")):
            await cast.database.run(partners.close_partner, data.distributor, UUID(element), cast.now)
        elif self.path.endswith("/members"):
            await cast.database.run(members.delete_member, data.distributor, owner, UUID(element))
        elif self.path.endswith("/versions"):
            if element != "1":
                await cast.database.run(price_books.delete_draft, data.distributor, data.book, int(element))
        elif "price" in self.path or self.path.endswith(_KEPT):
            return
        elif self.path.endswith("/deliveries"):
            await cast.row("delete from webhook_delivery where id = %s returning id", int(element))
        elif self.path.endswith("/access-keys"):
            await cast.row("delete from access_key where access_key = %s returning seq", element)
        else:
            assert "storage-account" in self.path or self.path.endswith("/usage")
            # Usage has purged accounts too.
            if (await cast.row("select purged_at is null from storage_account where id = %s", int(element)))[0]:
                await purge(cast, data.partner, int(element), cast.now)

    async def _add_prices(self) -> None:
        cast, data = self.client.cast, self.data
        if self.path.endswith("/price-books"):
            await cast.price_book(data.distributor)
        elif self.path.endswith("/preview"):
            await cast.partner(data.distributor, data.contract)
        elif self.path.endswith("/versions"):
            version = NewVersion(date(2099, 2, 1), Prices())
            await cast.database.run(price_books.add_version, data.distributor, data.book, version, cast.now)
        else:
            ids = {"contract": data.contract, "partner": data.partner.organisation_id, "account": data.account}
            kind = SubjectKind(self.path.split("/")[-2])
            # What identifies an assignment in its list.
            day = date(2099, 2, 1) + timedelta(days=len(await self.whole()))
            await cast.database.transaction(
                price_books.assign, self.reader, Subject(kind, ids[kind]), NewAssignment(None, day), cast.now
            )

    async def _add_alert_or_webhook(self) -> None:
        cast, data = self.client.cast, self.data
        if self.path.endswith("/alerts"):
            await cast.row(
                """
                insert into alert (organisation_id, account_id, level, crossed_at, used, capacity)
                values (%s, %s, 90, %s, 9, 10) returning seq""",
                *(data.partner.organisation_id, await cast.account(data.partner), cast.now),
            )
        elif self.path.endswith("/deliveries"):
            await cast.row(
                """
                insert into webhook_delivery (endpoint_id, event_id, type, created_at)
                values (%s, gen_random_uuid(), 'key.created', %s) returning id""",
                *(data.webhook.id, cast.now),
            )
        else:
            await insert_webhook(cast, data.distributor)

    async def _add_access_key(self, conn: Connection) -> None:
        """Without a cluster, and so without a secret."""
        key, now = new_access_key(), self.client.clock.now
        await access_key_queries.insert_key(conn, self.data.account, key, None, now)
        await access_key_queries.activate_key(conn, self.data.account, key, now, self.data.partner.stamp)


def _lists(client: AppClient) -> list[APIRoute]:
    """Every GET whose response is an array."""
    return [
        route
        for route in client.app.routes
        if isinstance(route, APIRoute)
        and "GET" in (route.methods or ())
        and get_origin(route.responses.get(200, {}).get("model")) is list
        # A feed and a fixed list: tests/api/test_events.py.
        and route.tags != ["Events"]
    ]


async def every_list(client: AppClient) -> list[List]:
    """Every list, on new data, with a few elements each."""
    data = await account_data(client)
    found = [List(client, data, route.path) for route in _lists(client)]
    assert len(found) >= 7
    for one in found:
        if one.path.endswith("/preview"):
            # Under a contract of its own, since adjustments of tests are in another currency.
            contract = await client.cast.contract(data.distributor)
            one.data = replace(data, contract=contract)
            assigned = NewAssignment(data.book, client.cast.now.date())
            subject = Subject(SubjectKind.CONTRACT, contract)
            await client.cast.database.transaction(
                price_books.assign, data.distributor, subject, assigned, client.cast.now
            )
        if one.path.endswith("/usage"):
            one.params |= DAYS
        while len(await one.whole()) < 7:
            await one.add()
    return found


def identity(element: dict[str, Any]) -> str:
    names = ("id", "subjectId", "buyer", "accessKey", "clientAccountId", "client_id", "number", "validFrom")
    return str(next(element[name] for name in names if name in element))
