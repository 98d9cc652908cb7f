"""The whole application behind its doors, on the worker's database, with a clock that tests set."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI

from tests.cast import NOW, TB, Cast
from tests.clocks import clocks
from tonnage.access.actor import Actor, Role
from tonnage.asgi import create_app
from tonnage.passwords import Passwords

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class House:
    """An application and a cast: `await house.call("GET", "/v1/contract/list", key)`."""

    app: FastAPI
    cast: Cast
    clock: Clock
    http: httpx.AsyncClient
    keys: dict[tuple[UUID, Role], str] = field(default_factory=dict[tuple[UUID, Role], str])

    async def key(self, actor: Actor, role: Role = Role.ADMIN) -> str:
        if (actor.organisation_id, role) not in self.keys:
            self.keys[actor.organisation_id, role] = await self.cast.key(actor, role)
        return self.keys[actor.organisation_id, role]

    async def call(self, method: str, path: str, key: str | None = None, **more: Any) -> httpx.Response:
        headers = {**({"Authorization": f"Bearer {key}"} if key else {}), **more.pop("headers", {})}
        return await self.http.request(method, path, headers=headers, **more)


@pytest.fixture
async def house(conninfo: str, cast: Cast) -> AsyncGenerator[House]:
    clock = Clock()
    app = create_app(conninfo, **clocks(clock), passwords=Passwords(CHEAP))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(app.router.lifespan_context(app))
        http = await stack.enter_async_context(
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tonnage")
        )
        yield House(app, cast, clock, http)


@dataclass
class Business:
    """A distributor with a contract, a partner and an account; `password` is good for both kinds."""

    distributor: Actor
    contract: UUID
    partner: Actor
    account: int
    member: UUID


@pytest.fixture
async def business(house: House) -> Business:
    return await open_business(house)


async def open_business(house: House) -> Business:
    cast = house.cast
    await cast.region()
    distributor = await cast.distributor()
    contract = await cast.contract(distributor)
    partner = await cast.partner(distributor, contract, 10 * TB)
    account = await cast.account(partner, TB)
    made = await house.call(
        "POST",
        f"/v1/partner/{partner.organisation_id}/member",
        await house.key(distributor),
        json={"email": f"m{account}@example.org", "password": "Sesame-opens-1", "role": "viewer"},
    )
    return Business(distributor, contract, partner, account, UUID(made.json()["id"]))
