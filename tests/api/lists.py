"""Every list that the application has, from its route table: how to read it, and how there is more of it."""

import re
import uuid
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any, get_origin

from fastapi.routing import APIRoute

from tests.api.conftest import Business, House, open_business
from tests.cast import unique
from tonnage.access.actor import Actor
from tonnage.access_keys import queries as access_key_queries
from tonnage.access_keys.access_key import new_access_key
from tonnage.db import Connection

DAYS = {"from": "2026-03-14", "to": "2026-03-15"}


@dataclass
class List:
    """A list operation on a business, and who may read it. `x` is a parameter that nobody knows."""

    house: House
    business: Business
    path: str
    params: dict[str, str] = field(default_factory=lambda: {"x": "a&b c=ä", "empty": ""})

    @property
    def reader(self) -> Actor:
        route = next(route for route in _lists(self.house) if route.path == self.path)
        return self.business.distributor if route.tags == ["Distributors"] else self.business.partner

    async def get(self, url: str | None = None, **params: str) -> Any:
        partner = str(self.business.partner.organisation_id)
        ids = {"contractID": self.business.contract, "partnerID": partner, "accountID": self.business.account}
        url = url or self.path.format(**ids)
        more = {"params": {**self.params, **params}} if "?" not in url else {}
        return await self.house.call("GET", url, await self.house.key(self.reader), **more)

    async def whole(self) -> list[Any]:
        answer = await self.get()
        assert answer.status_code == 200, answer.text
        assert "link" not in answer.headers
        return answer.json()

    async def pages(self, limit: int) -> AsyncGenerator[list[Any]]:
        answer = await self.get(limit=str(limit))
        while True:
            assert answer.status_code == 200, answer.text
            yield answer.json()
            if "link" not in answer.headers:
                return
            link = re.fullmatch(r'<([^>]+)>; rel="next"', answer.headers["link"])
            assert link is not None
            answer = await self.get(link[1])
            assert set(answer.request.url.params.items()) >= set(self.params.items())

    async def add(self) -> None:
        """One more element at the end."""
        cast, business = self.house.cast, self.business
        if self.path.endswith("/contract/list"):
            await cast.contract(business.distributor, details=unique("Contract"))
        elif self.path.endswith("/partners"):
            await cast.partner(business.distributor, business.contract)
        elif self.path.endswith("/members"):
            path = f"/v1/partner/{business.partner.organisation_id}/member"
            body = {"email": f"m{uuid.uuid4().hex}@example.org", "password": "Sesame-opens-1", "role": "viewer"}
            made = await self.house.call("POST", path, await self.house.key(business.distributor), json=body)
            assert made.status_code == 201
        elif self.path.endswith("/access-keys"):
            await cast.database.run(self._add_access_key)
        else:  # storage accounts and their usage; for a list of something new, say here how there is more of it
            assert "storage-account" in self.path or self.path.endswith("/usage")
            await cast.account(business.partner)

    async def _add_access_key(self, conn: Connection) -> None:
        """Without a cluster, and so without a secret."""
        key, now = new_access_key(), self.house.clock.now
        await access_key_queries.insert_key(conn, self.business.account, key, None, now)
        await access_key_queries.activate_key(conn, key, now, self.business.partner.stamp)


def _lists(house: House) -> list[APIRoute]:
    """Every GET whose answer is an array."""
    return [
        route
        for route in house.app.routes
        if isinstance(route, APIRoute)
        and "GET" in (route.methods or ())
        and get_origin(route.responses.get(200, {}).get("model")) is list
    ]


async def every_list(house: House) -> list[List]:
    """All of one new business, with a few elements each."""
    business = await open_business(house)
    found = [List(house, business, route.path) for route in _lists(house)]
    assert len(found) >= 7
    for one in found:
        if one.path.endswith("/usage"):
            one.params |= DAYS
        while len(await one.whole()) < 7:
            await one.add()
    return found


def identity(element: dict[str, Any]) -> str:
    return str(element.get("id") or element.get("accessKey") or element.get("clientAccountId") or element["client_id"])
