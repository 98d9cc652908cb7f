"""The whole application on the worker's database, with a clock that tests set."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import httpx
import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI

from tests.api.listed_codes import check_problem
from tests.cast import NOW, TB, Cast
from tests.console.browsers import Browser, browser_of
from tests.data_dir import DATA_DIR
from tests.statements.inserted import adjust, insert_statement
from tests.unchanged import RefusalCheck
from tests.webhooks.inserted import InsertedWebhook, insert_webhook
from tonnage.access.actor import Actor, Role
from tonnage.asgi import create_app
from tonnage.clock import BusinessClock, WallClock
from tonnage.config import DEFAULT_LIMITS, Limits
from tonnage.passwords import Passwords
from tonnage.sandbox_clock import SandboxClock
from tonnage.sealing import create_key_file

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class AppClient:
    """An application and its cast.

    By API key: `await client.call("GET", "/v1/contract/list", key)`; as a member: `await client.sign_in(distributor)`.
    After each refused request it checks that the database is unchanged, and that the operation lists the error's code.
    """

    app: FastAPI
    cast: Cast
    clock: Clock
    http: httpx.AsyncClient
    stack: AsyncExitStack
    keys: dict[tuple[UUID, Role], str] = field(default_factory=dict[tuple[UUID, Role], str])
    browsers: dict[tuple[UUID, Role, str | None], Browser] = field(
        default_factory=dict[tuple[UUID, Role, str | None], Browser]
    )
    refusal_check: RefusalCheck = field(init=False)

    def __post_init__(self) -> None:
        self.refusal_check = RefusalCheck(self.cast.database)

    async def key(self, actor: Actor, role: Role = Role.ADMIN) -> str:
        if (actor.organisation_id, role) not in self.keys:
            self.keys[actor.organisation_id, role] = await self.cast.key(actor, role)
        return self.keys[actor.organisation_id, role]

    async def call(self, method: str, path: str, key: str | None = None, **more: Any) -> httpx.Response:
        headers = {**({"Authorization": f"Bearer {key}"} if key else {}), **more.pop("headers", {})}
        if method == "GET":
            response = await self.http.request(method, path, headers=headers, **more)
        else:
            response = await self.refusal_check.send(lambda: self.http.request(method, path, headers=headers, **more))
        check_problem(response)
        return response

    def with_key_file(self) -> None:
        """From now on secrets can be sealed, for those tests that do not look at them."""
        state = self.app.state
        if state.services.key_file is None:
            folder = Path(self.stack.enter_context(TemporaryDirectory()))
            create_key_file(folder / "secret.key")
            state.services = replace(state.services, key_file=folder / "secret.key")

    async def sign_in(self, actor: Actor, role: Role = Role.ADMIN, name: str | None = None) -> Browser:
        """A browser signed in as a member with that role and name; the same one every time."""
        whose = actor.organisation_id, role, name
        if whose not in self.browsers:
            browser = await browser_of(self.app, self.cast, actor, role, name, self.clock.now, self.refusal_check)
            await self.stack.enter_async_context(browser.http)
            self.browsers[whose] = browser
        return self.browsers[whose]


@pytest.fixture
async def client(conninfo: str) -> AsyncGenerator[AppClient]:
    async with application(conninfo) as client:
        yield client


@asynccontextmanager
async def application(
    conninfo: str,
    cast: Cast | None = None,
    ahead: timedelta = timedelta(),
    key_file: Path | None = None,
    limits: Limits = DEFAULT_LIMITS,
    sandbox: SandboxClock | None = None,
) -> AsyncGenerator[AppClient]:
    """`ahead`: how far the business clock is ahead of the wall clock; or it is that of a `sandbox`. Without a cast
    there is one on the application's own connections: others would take longer to open than most requests take.
    """
    clock = Clock()
    business = BusinessClock(lambda: clock.now + ahead)
    app = create_app(
        conninfo,
        business_clock=BusinessClock(sandbox.read) if sandbox else business,
        sandbox_clock=sandbox,
        wall_clock=WallClock(clock),
        passwords=Passwords(CHEAP),
        key_file=key_file,
        data_dir=DATA_DIR,
        limits=limits,
    )
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(app.router.lifespan_context(app))
        await app.state.services.database.pool.wait()  # else the first request opens another connection
        http = await stack.enter_async_context(
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tonnage")
        )
        yield AppClient(app, cast or await Cast.of(app.state.services.database), clock, http, stack)


@dataclass
class AccountData:
    """A distributor with a contract, a partner, an account and a price book with a draft."""

    distributor: Actor
    contract: UUID
    partner: Actor
    account: int
    member: UUID
    book: UUID
    statement: UUID
    """Frozen, of the partner."""
    adjustment: UUID
    """Of the partner's next statement."""
    webhook: InsertedWebhook
    """Of the distributor."""


@pytest.fixture
async def data(client: AppClient) -> AccountData:
    return await account_data(client)


async def account_data(client: AppClient) -> AccountData:
    cast = client.cast
    await cast.region()
    distributor = await cast.distributor()
    contract = await cast.contract(distributor)
    partner = await cast.partner(distributor, contract, 10 * TB)
    account = await cast.account(partner, TB)
    made = await client.call(
        "POST",
        f"/v1/partner/{partner.organisation_id}/member",
        await client.key(distributor),
        json={"email": f"m{account}@example.org", "password": "Sesame-opens-1", "role": "viewer"},
    )
    book = await cast.price_book(distributor)
    statement = await cast.database.run(insert_statement, distributor, partner, contract)
    adjustment = await adjust(cast, distributor, partner)
    webhook = await insert_webhook(cast, distributor)
    return AccountData(
        distributor, contract, partner, account, UUID(made.json()["id"]), book, statement, adjustment, webhook
    )
