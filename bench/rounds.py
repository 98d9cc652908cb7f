"""The rounds: each measures everything once, so that other load on the machine affects all sides alike."""

import asyncio
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from uuid import UUID

import msgspec

from bench import dataset, pgbench, workloads
from bench.dataset import Dataset
from bench.freezing import Freezing
from bench.load import CLIENTS, Load, Plan, Request
from bench.servers import DatabaseServer, Server, serving
from bench.statements import Statements, statements_of

ROUNDS = 7
"""With fewer rounds nothing is written: these are trial runs."""

SECONDS = 2.0
"""Length of a run. The last replies are waited for, so a slow run takes longer."""


@dataclass(frozen=True)
class Measure:
    """CPU of the server and its database in microseconds per request, requests a second, latencies in milliseconds."""

    cpu: float
    database: float
    rate: float
    p50: float
    p99: float


@dataclass
class Round:
    served: dict[str, Measure] = field(default_factory=dict[str, Measure])
    """By name: `W1`, `usual W1`, `many W1`, `bare`."""
    pgbench: dict[str, float] = field(default_factory=dict[str, float])
    encoding: float = 0.0
    """CPU time in microseconds that msgspec takes for the payload of W4."""
    growth: float = 0.0
    """Memory growth in bytes during W5."""
    report: float = 0.0
    """Seconds of W5."""
    bare_worst: float = 0.0
    """Milliseconds of the slowest bare reply during W5."""


@dataclass
class Results:
    statements: dict[str, Statements]
    rounds: list[Round]
    sampling: list[float] = field(default_factory=list[float])
    """Seconds of the sampling of a region; None without Ceph."""
    rendering: list[float] = field(default_factory=list[float])
    """Documents of one page per second of CPU."""
    freezing: Freezing = field(default_factory=Freezing)
    small_sellers: list[float] = field(default_factory=list[float])
    """Milliseconds of the nightly freeze for each seller with three buyers."""
    console: dict[str, list[float]] = field(default_factory=dict[str, list[float]])
    """Milliseconds of each page of the console's long lists."""


class DailyUsage(msgspec.Struct):
    date: str
    allocated_capacity: int
    usage: int


class ClientUsage(msgspec.Struct):
    client_id: str
    name: str
    allocated_capacity: int
    daily_usage: list[DailyUsage]


def measure(url: str, data: Dataset, count: int, say: Callable[[str], None]) -> Results:
    first = dataset.fresh(url, data.writers)
    asked = {"W1": workloads.contracts(data.few), "W2": workloads.creation(data.writers, first)}
    statements = {name: asyncio.run(statements_of(url, request)) for name, request in asked.items()}
    # W1 is compared with key look-up and list, W2 with its single statement.
    scripts = {
        "W1": statements["W1"].key_look_up + "".join(statements["W1"].texts),
        "W2": "".join(statements["W2"].texts),
    }
    results = Results(statements, [])
    with ExitStack() as stack:
        bare, product, usual = (stack.enter_context(serving(kind, url)) for kind in ("raw", "product", "usual"))
        payload = msgspec.json.decode(workloads.check(product, data), type=list[ClientUsage])
        workloads.check(usual, data)
        for number in range(count):
            begin = time.monotonic()
            one = Round()
            steps = _steps(one, url, data, {"bare": bare, "product": product, "usual": usual}, scripts, first, payload)
            for step in steps if number % 2 == 0 else reversed(steps):
                step()
            results.rounds.append(one)
            say(f"round {number + 1} of {count}: {time.monotonic() - begin:.0f} s")
    return results


def _steps(
    one: Round,
    url: str,
    data: Dataset,
    servers: dict[str, Server],
    scripts: dict[str, str],
    scripted: UUID,
    payload: list[ClientUsage],
) -> list[Callable[[], None]]:
    database_server = DatabaseServer.at(url)

    def serve(name: str, server: Server, request: Callable[[], Request]) -> Callable[[], None]:
        def run() -> None:
            one.served[name] = measured(server, database_server, request().wire())

        return run

    def compare(name: str) -> Callable[[], None]:
        def run() -> None:
            program = pgbench.find()
            if program:
                script = scripts[name].replace(scripted.hex, dataset.fresh(url, data.writers).hex)
                one.pgbench[name] = pgbench.rate(program, url, script, round(SECONDS))

        return run

    def encode() -> None:
        one.encoding = encoding(payload)

    def report() -> None:
        _large_report(one, url, data)

    asked = workloads.requests(data, url)
    many = {
        "W1": lambda: workloads.contracts(data.many),
        "W2": lambda: workloads.creation(data.many, data.many.contracts[0]),
    }
    steps = [serve("bare", servers["bare"], lambda: workloads.BARE)]
    for name, request in asked.items():
        # The runs to be compared follow each other as closely as possible.
        if name in many:
            steps += [compare(name), serve(f"many {name}", servers["product"], many[name])]
        steps += [serve(name, servers["product"], request), serve(f"usual {name}", servers["usual"], request)]
    return [*steps, encode, report]


def measured(server: Server, database_server: DatabaseServer | None, wire: str, clients: int = CLIENTS) -> Measure:
    """Measures one run on a server whose database has no other clients."""
    go = Load(Plan(server.port, wire, SECONDS, clients))
    before, database_before = server.cpu, database_server.cpu if database_server else 0.0
    run = go()
    cpu, database = server.cpu - before, database_server.cpu - database_before if database_server else 0.0
    return Measure(cpu / run.count * 1e6, database / run.count * 1e6, run.rate, run.p50, run.p99)


def encoding(payload: list[ClientUsage]) -> float:
    """Microseconds of CPU that msgspec takes for a report."""
    times = 200
    before = time.process_time()
    for _ in range(times):
        msgspec.json.encode(payload)
    return (time.process_time() - before) / times * 1e6


def _large_report(one: Round, url: str, data: Dataset) -> None:
    """Measured in a fresh process: one that has served reports before has spare memory, which would hide the growth."""
    with serving("product", url) as server:
        Load(Plan(server.port, workloads.contracts(data.few).wire(), 0.5))()
        report = Load(Plan(server.port, workloads.usage(data, data.large_partner).wire(), 0, clients=1, warm=0))
        probe = Load(Plan(server.port, workloads.HEALTH.wire(), 0.8, clients=1, warm=0.2, pause=0.001))
        with server.watched() as peak:
            probe.begin()
            one.report = report().seconds
            one.bare_worst = probe.end().worst
        one.growth = peak.growth
