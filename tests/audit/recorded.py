"""What the audit record gains by one action, whole; and people and things to act on."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeAlias, TypeVar
from uuid import UUID, uuid4

from tests.cast import NOW, TB, Cast
from tonnage.access.actor import Actor, Kind
from tonnage.db import Connection, Database

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Recorded:
    """A row of the audit record without its id and time, which the database gives."""

    action: str
    actor_kind: str
    actor_id: UUID | None
    actor_organisation_id: UUID | None
    organisation_id: UUID
    parent_id: UUID | None
    subject_id: str
    before: Any = None
    after: Any = None


@dataclass
class AuditData:
    """A distributor's member and a partner's key, and their things. `entries`: what the last `watched` act wrote."""

    cast: Cast
    key_file: Path
    distributor: Actor
    contract: UUID
    partner: Actor
    entries: list[Recorded] = field(default_factory=list[Recorded])

    @classmethod
    async def of(cls, cast: Cast, key_file: Path) -> "AuditData":
        await cast.region()
        distributor = replace(await cast.distributor(), via="member", via_id=uuid4())
        contract = await cast.contract(distributor)
        partner = await cast.partner(distributor, contract, 10 * TB)
        return cls(cast, key_file, distributor, contract, replace(partner, via="key", via_id=uuid4()))

    @property
    def database(self) -> Database:
        return self.cast.database

    @property
    def operator(self) -> Actor:
        return replace(self.cast.operator, via="member", via_id=UUID(int=7))

    @property
    def job(self) -> Actor:
        return replace(self.cast.operator, via="job")

    async def run(
        self, work: Callable[Concatenate[Connection, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """In a transaction, as every caller of an action may."""
        return await self.database.transaction(work, *args, **kwargs)

    @asynccontextmanager
    async def watched(self) -> AsyncGenerator[None]:
        (last,) = await self.cast.row("select coalesce(max(id), 0) from audit_entry")
        yield
        self.entries = await self.database.run(_since, last)

    def entry(
        self, action: str, actor: Actor, whose: Actor, subject: object, before: Any = None, after: Any = None
    ) -> Recorded:
        """What `actor` should have left by `action` on a thing of `whose` organisation."""
        by_organisation = None if actor.via_id is None else actor.organisation_id
        parent = self.distributor.organisation_id if whose.kind is Kind.PARTNER else None
        return Recorded(
            *(action, actor.via, actor.via_id, by_organisation, whose.organisation_id, parent, str(subject)),
            before=before,
            after=after,
        )


async def _since(conn: Connection, last: int) -> list[Recorded]:
    cursor = await conn.execute(
        """
        select action, actor_kind, actor_id, actor_organisation_id, organisation_id, parent_id, subject_id,
            before, after
        from audit_entry where id > %s order by id
        """,
        [last],
    )
    return [Recorded(*row) for row in await cursor.fetchall()]


Case: TypeAlias = Callable[[AuditData], Awaitable[Recorded]]
"""Does one action in `data.watched()`, and gives the entry that it must have left, and no other."""


__all__ = ["NOW", "AuditData", "Case", "Recorded"]
