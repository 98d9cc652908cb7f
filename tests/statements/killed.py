"""A process that freezes a month, or mails statements, and is killed on the way.

`python -m tests.statements.killed WHERE`, and as JSON on its standard input, once it says that it is ready, what it
works on. WHERE is the step before which it is killed, by a signal that no process can catch; `never`: it ends by
itself, `mailed`: after it has mailed what is frozen. While another process is freezing, it tries again.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from tonnage.access.actor import Actor, Kind, Role
from tonnage.clock import BusinessClock
from tonnage.db import connect
from tonnage.error_codes import ConflictCode
from tonnage.errors import Conflict
from tonnage.mail import Mailer, SmtpOutbox
from tonnage.month_end import freezing_actions
from tonnage.regions.backends import OpenBackends
from tonnage.services import Services
from tonnage.statement_mails import actions as statement_mails

STEPS = ("compute", "_checked", "record", "conclude")
"""Of a freeze: nothing is computed yet; it is computed; the numbers are taken; all is committed."""


def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def never(*_: object, **__: object) -> None:
    die()


async def is_frozen(services: Services, actor: Actor, month: date, now: datetime) -> bool:
    """Freezes it. False: another process has kept this one waiting until its deadline."""
    try:
        await freezing_actions.freeze(services, actor, month, now)
    except Conflict as refused:
        if refused.code is not ConflictCode.FREEZE_IN_PROGRESS:
            raise
        return False
    return True


async def main(where: str, given: dict[str, Any]) -> None:
    async with connect(given["url"]) as database:
        now = datetime.fromisoformat(given["now"])
        services = Services(
            database,
            OpenBackends(database, None),
            data_dir=Path(given["data_dir"]),
            business_clock=BusinessClock(lambda: now),
            mailer=Mailer(SmtpOutbox(f"smtp+plain://127.0.0.1:{given.get('mail', 25)}", "a@example.org"), "https://x"),
        )
        if where in STEPS:
            setattr(freezing_actions, where, never)
        steps: dict[str, Callable[[], Awaitable[object]]] = {
            "hold": lambda: statement_mails.send_due(services),
            "store_sent": lambda: statement_mails.send_due(services),
        }
        if where in steps:
            setattr(statement_mails.queries, where, never)
            await steps[where]()
        else:
            actor = Actor(UUID(given["seller"]), Kind.DISTRIBUTOR, Role.ADMIN, "job")
            while not await is_frozen(services, actor, date.fromisoformat(given["month"]), now):
                pass
        if where == "mailed":
            await statement_mails.send_due(services)


if __name__ == "__main__":
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    asyncio.run(main(sys.argv[1], json.loads(sys.stdin.read())))
