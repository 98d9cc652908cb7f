"""The whole application with a region whose cluster is unreachable, in a database of its own."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx

from tests.api.conftest import CHEAP, AppClient, Clock
from tests.cast import Cast
from tests.clocks import clocks
from tests.storage.conftest import MODERATE_TIMEOUTS
from tonnage.asgi import create_app
from tonnage.db import connect
from tonnage.passwords import Passwords
from tonnage.regions import actions as regions
from tonnage.regions.backends import OpenBackends
from tonnage.regions.region import Gateway, NewRegion
from tonnage.sealing import create_key_file

OFFLINE = Gateway("http://127.0.0.1:1", "KEY", "SECRET")
"""Only root may listen on this port."""


@asynccontextmanager
async def offline_client(conninfo: str, key_file: Path) -> AsyncGenerator[AppClient]:
    """Its region is `eu`. `/readyz` shows the result of the last `check_regions`."""
    create_key_file(key_file)
    clock = Clock()
    app = create_app(conninfo, **clocks(clock), passwords=Passwords(CHEAP), key_file=key_file)
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(connect(conninfo))
        cast = await Cast.of(database)
        region = NewRegion("eu", "https://s3.example.org", "https://iam.example.org", "https://sts.example.org")
        await database.transaction(
            regions.add_region, cast.operator, region, cast.now, gateway=OFFLINE, key_file=key_file
        )
        await stack.enter_async_context(app.router.lifespan_context(app))
        backends = OpenBackends(database, key_file, MODERATE_TIMEOUTS)
        app.state.services = replace(app.state.services, backends=backends)
        stack.push_async_callback(backends.close)
        http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tonnage")
        yield AppClient(app, cast, clock, await stack.enter_async_context(http), stack)


async def check_regions(client: AppClient) -> None:
    """Runs the check that the job makes every minute."""
    await regions.check_all(client.app.state.services)
