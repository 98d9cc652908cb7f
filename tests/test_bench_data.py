"""The statements of the benchmarks fit the schema: their data at a small size, the usual stack, and the sampling."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import quote, urlencode

import httpx
import pytest
from psycopg.conninfo import conninfo_to_dict

from bench import console, console_data, dataset, freezing, sampling, workloads
from bench.load import Request
from bench.usual_stack import create_usual_app
from tests.roles import as_owner
from tonnage.asgi import create_app

pytestmark = pytest.mark.anyio

NewDatabase = Callable[[], AbstractContextManager[str]]


async def test_the_usual_stack_answers_as_the_product_does(new_database: NewDatabase) -> None:
    with new_database() as conninfo:
        data = await asyncio.to_thread(dataset.build, as_owner(conninfo), many=20, accounts=(3, 5))
        product, usual = create_app(conninfo), create_usual_app(url_of(conninfo))
        async with product.router.lifespan_context(product):
            for app in (product, usual):
                for make in workloads.requests(data, conninfo).values():
                    await sent(app, await asyncio.to_thread(make))
        await usual.state.engine.dispose()


def url_of(conninfo: str) -> str:
    """The same database as the URL that SQLAlchemy reads."""
    parameters = conninfo_to_dict(conninfo)
    login = f"{parameters.pop('user')}:{quote(str(parameters.pop('password')))}"
    return f"postgresql://{login}@/{parameters.pop('dbname')}?{urlencode(parameters)}"


async def sent(app: object, request: Request) -> None:
    headers = {"Authorization": f"Bearer {request.key}", "Content-Type": "application/json"}
    transport = httpx.ASGITransport(app)  # pyright: ignore[reportArgumentType]  an ASGI application of any framework
    async with httpx.AsyncClient(transport=transport, base_url="http://bench") as http:
        method = "POST" if request.body else "GET"
        answer = await http.request(method, request.path, headers=headers, content=request.body)
    assert answer.is_success, answer.text


async def test_the_console_answers_on_its_data(new_database: NewDatabase) -> None:
    with new_database() as conninfo:
        data = await asyncio.to_thread(console_data.build, as_owner(conninfo), partners=200)
        found = await console.timed(conninfo, console.pages(data), rounds=1)
    assert set(found) == set(console.LABELS)


def test_a_month_is_frozen_and_shown(server: str) -> None:
    found = freezing.measure(server, print, partners=600, rounds=1)
    assert set(found.pages) == set(freezing.LABELS)


@pytest.mark.ceph
def test_a_region_is_sampled(server: str, tmp_path: Path) -> None:
    assert len(sampling.measure(server, tmp_path, print, accounts=20)) == 1
