"""The server's response times for the console's lists of 100,000 partners and 300,000 accounts.

`python -m bench.console [ROUNDS]` measures these pages alone.
"""

import asyncio
import math
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from uuid import UUID

import httpx
import psycopg
from psycopg.conninfo import make_conninfo

from bench import console_data
from bench.console_data import ConsoleData
from tonnage import embedded
from tonnage.asgi import create_app

ROUNDS = 7

Say = Callable[[str], None]

_LAST = "page=last"

AFTERWARDS = "afterwards: "
"""Prefix of the parts that a page loads after itself; each is requested once, since they take seconds."""


def pages(data: ConsoleData) -> dict[str, tuple[str, str]]:
    """Path and session token of each page, by its label."""
    distributor, operator = data.distributor, data.operator
    lists = {"partners": ("/distributor/partners", distributor), "all partners": ("/operator/partners", operator)}
    asked = {
        "": "",
        ", by use": "?sort=used",
        ", by use, last page": f"?sort=used&{_LAST}",
        ", by load": "?sort=load",
        ", by name": "?sort=name",
        ", by name, last page": f"?sort=name&{_LAST}",
        ", last page": f"?{_LAST}",
        ", near full": "?show=near&sort=used",
        ", searched for one": "?q=12345",
        ", searched for a tenth": "?q=nimbus&sort=used",
        ", searched for all, by name": "?q=backup&sort=name",
    }
    found = {what + how: (path + query, token) for what, (path, token) in lists.items() for how, query in asked.items()}
    found |= {
        f"partners{how}": (f"/distributor/partners{query}", distributor)
        for how, query in {
            ", by fee": "?sort=fee",
            ", by fee, last page": f"?sort=fee&{_LAST}",
            ", by fee, least first": "?sort=fee.asc",
            ", with a fee, by name": "?sort=name&show=charged",
            ", searched for a tenth, by fee": "?q=nimbus&sort=fee",
        }.items()
    }
    of_contract = f"/distributor/partners?contract={data.contract}&sort=used"
    return {
        **found,
        "partners of a contract, by use": (of_contract, distributor),
        "partners of a contract, by fee": (f"/distributor/partners?contract={data.contract}&sort=fee", distributor),
        "contracts": ("/distributor/contracts", distributor),
        "a partner": (f"/distributor/partners/{data.partner}", distributor),
        "all accounts": ("/operator/accounts", operator),
        "all accounts, by use": ("/operator/accounts?sort=used", operator),
        "all accounts, by name, last page": (f"/operator/accounts?sort=name&{_LAST}", operator),
        "all accounts, searched for some": ("/operator/accounts?q=c12345", operator),
        "all accounts, searched for all": ("/operator/accounts?q=customer&sort=name", operator),
        "all members": ("/operator/members", operator),
        "all members, by name": ("/operator/members?sort=name", operator),
        "all members, by organisation": ("/operator/members?sort=organisation", operator),
        "all members, searched for some": ("/operator/members?q=m4242", operator),
        "all members, searched for all": ("/operator/members?q=example&sort=email", operator),
        "overview": ("/operator", operator),
        "overview of a distributor": ("/distributor", distributor),
        "overview of a partner": ("/partner", data.partners_own),
        "a contract of a distributor": (f"/distributor/contracts/{data.contract}", distributor),
        "distributors": ("/operator/distributors", operator),
        "audit log": ("/audit", distributor),
        "audit log, everybody's": ("/audit", operator),
        "audit log, one action": ("/audit?action=partner.update", distributor),
        "audit log, old days": ("/audit?from=2026-01-01&to=2026-01-05", distributor),
        "audit log, searched for one": ("/audit?q=12345", distributor),
        "audit log, searched for all": ("/audit?q=backup", distributor),
        f"{AFTERWARDS}fees of the month": ("/distributor/partners/fees", distributor),
        f"{AFTERWARDS}movers of a distributor": ("/distributor/movers", distributor),
        f"{AFTERWARDS}movers": ("/operator/movers", operator),
    }


LABELS = tuple(pages(ConsoleData("", "", UUID(int=0), UUID(int=0), "")))
"""The labels of the pages."""


def slowest_list(found: dict[str, list[float]]) -> list[float]:
    """The slowest of the distributor's pages of partners, over all sort orders and searches."""
    lists = [taken for what, taken in found.items() if what.startswith("partners")]
    return max(lists, key=statistics.median, default=list[float]())


def measure(url: str, say: Say, rounds: int = ROUNDS) -> dict[str, list[float]]:
    """Milliseconds of each page, without the network, on a new database beside the one at `url`."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("create database console")
    own = make_conninfo(url, dbname="console")
    say(f"loading {console_data.PARTNERS} partners for the console")
    data = console_data.build(own)
    say("asking for the console's pages")
    return asyncio.run(timed(own, pages(data), rounds))


async def timed(url: str, pages: Mapping[str, tuple[str, str]], rounds: int) -> dict[str, list[float]]:
    """Timed in a process that has rendered each page before. `pages` as those of the console: path and session token by
    label."""
    app = create_app(url)
    found: dict[str, list[float]] = {}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bench", timeout=60) as http,
    ):
        for what, (path, token) in pages.items():
            if what.startswith(AFTERWARDS):
                found[what] = [await _once(http, path, token)]
            else:
                found[what] = [await _once(http, path, token) for _ in range(rounds + 2)][2:]
    return found


async def _once(http: httpx.AsyncClient, path: str, token: str) -> float:
    """Infinite if the page takes longer than a request may: that must not end the other measurements."""
    begin = time.perf_counter()
    answer = await http.get(path, headers={"Accept": "text/html", "Cookie": f"tonnage-session={token}"})
    taken = (time.perf_counter() - begin) * 1000
    if answer.status_code == 503:
        return math.inf
    if answer.status_code != 200:
        raise RuntimeError(f"{path}: {answer.status_code}")
    return taken


def _main(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as name, embedded.serve(Path(name) / "server", durable=False) as (_, url):
        for what, taken in measure(url, lambda line: print(line, flush=True), rounds).items():
            print(f"{statistics.median(taken):8.1f} ms  {min(taken):.1f} .. {max(taken):.1f}  {what}")


if __name__ == "__main__":
    _main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
