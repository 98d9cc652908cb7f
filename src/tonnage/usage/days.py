"""The period parameters of a report."""

from typing import Annotated, TypeAlias

from fastapi import Depends, Query

from tonnage.usage.period import Period
from tonnage.web.schemas import Day


async def _period(
    first: Annotated[Day, Query(alias="from", description="The first day, UTC.")],
    last: Annotated[Day, Query(alias="to", description="The last day, UTC; at most 400 days in all.")],
) -> Period:
    return Period(first, last)


Days: TypeAlias = Annotated[Period, Depends(_period)]
