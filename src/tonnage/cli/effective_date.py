"""`--from` and `--correct`: the day from which terms apply."""

from collections.abc import Callable
from datetime import date
from functools import wraps
from typing import ParamSpec, TypeVar

import click

from tonnage.cli.param_types import DAY
from tonnage.contracts.effective_date import EffectiveDate

P = ParamSpec("P")
T = TypeVar("T")


def effective_date(command: Callable[..., T]) -> Callable[..., T]:
    """Gives the command `effective`: an EffectiveDate; None: from now on."""

    @click.option("--from", "day", type=DAY, help="The terms apply from this day on, such as 2026-10-16, UTC.")
    @click.option("--correct", is_flag=True, help="Although months since then are frozen: the difference is adjusted.")
    @wraps(command)
    def with_date(*args: object, day: date | None, correct: bool, **options: object) -> T:
        if correct and day is None:
            raise click.UsageError("--correct needs --from.")
        return command(*args, effective=None if day is None else EffectiveDate(day, correct), **options)

    return with_date
