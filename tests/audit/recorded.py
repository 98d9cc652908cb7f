"""The audit entry that an action adds, complete; and the test data of the cases."""

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
    """A row of the audit log without its id and time, which the database sets."""

    action: str
    actor_kind: str
    actor_id: UUID | None
    actor_organisation_id: UUID | None
    organisation_id: UUID
    parent_id: UUID | None
    subject_id: str
    before: Any = None
    after: Any = None
    beside: "tuple[Recorded, ...]" = ()
    """The entries that the same action leaves for others."""

    @property
    def all(self) -> "list[Recorded]":
        return in_order([replace(self, beside=()), *self.beside])


def in_order(entries: "list[Recorded]") -> "list[Recorded]":
    return sorted(entries, key=lambda entry: entry.action)


@dataclass
class AuditData:
    """A distributor's member, a partner's key and their resources. `entries`: those of the last `watched` block."""

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
        """In a transaction, as any caller of an action may run it."""
        return await self.database.transaction(work, *args, **kwargs)

    @asynccontextmanager
    async def watched(self) -> AsyncGenerator[None]:
        (last,) = await self.cast.row("select coalesce(max(id), 0) from audit_entry")
        yield
        self.entries = await self.database.run(_since, last)

    def entry(
        self, action: str, actor: Actor, whose: Actor, subject: object, before: Any = None, after: Any = None
    ) -> Recorded:
        """The expected entry of `action` by `actor` on a resource of `whose` organisation."""
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
    return in_order([Recorded(*row) for row in await cursor.fetchall()])


Case: TypeAlias = Callable[[AuditData], Awaitable[Recorded]]
"""Does one action in `data.watched()`, and returns the entry that it must have left, with those beside it."""


__all__ = ["NOW", "AuditData", "Case", "Recorded"]
