"""The record of what was done."""

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.access.actor import Kind, Role
from tonnage.access.audit import AuditFilter, Entry
from tonnage.access.audit_queries import entries, every_entry, named
from tonnage.accounts.name_queries import account_names, accounts_named
from tonnage.console.own import asked
from tonnage.console.own.asked import Asked
from tonnage.console.own.changes import accounts_in, changes, contracts_in, name_of
from tonnage.console.own.deeds import DEEDS, choices
from tonnage.console.rendering import gettext
from tonnage.console.visit import AnyMember, Visit
from tonnage.contracts.name_queries import contract_names
from tonnage.db import Connection
from tonnage.errors import Forbidden
from tonnage.web.csv_file import CsvFile
from tonnage.web.route import Door

routes = APIRouter(prefix="/audit", route_class=Door, include_in_schema=False)

_SHOWN = 50
"""Entries on a page."""


@routes.get("")
async def audit(visit: AnyMember) -> Response:
    """The newest first, of the reader's organisation and its partners; of everybody for the operator."""
    _require_reader(visit)
    wanted = asked.read(visit.request.query_params)
    scope = _scope(visit)

    async def look(conn: Connection) -> tuple[list[Entry], dict[str, str]]:
        chosen = await _filter(conn, visit, wanted)
        found = await entries(conn, scope, chosen, wanted.before, _SHOWN + 1)
        contracts = await contract_names(conn, scope, contracts_in(found))
        return found, contracts | await account_names(conn, scope, accounts_in(found))

    found, names = await visit.database.run(look)
    shown = found[:_SHOWN]
    return visit.page(
        "own/audit.html",
        wanted=wanted,
        entries=shown,
        older=shown[-1].id if len(found) > _SHOWN else None,
        names=names,
        deeds=DEEDS,
        choices=choices(visit.actor.kind),
        changes=changes,
        name_of=name_of,
    )


@routes.get(".csv")
async def audit_file(visit: AnyMember) -> Response:
    """The same entries, all pages of them."""
    _require_reader(visit)
    wanted = asked.read(visit.request.query_params)
    chosen = await visit.database.run(lambda conn: _filter(conn, visit, wanted))

    async def rows(conn: Connection) -> AsyncGenerator[Sequence[object]]:
        async with aclosing(every_entry(conn, _scope(visit), chosen)) as found:
            async for entry in found:
                yield _row(visit, entry)

    header = [
        gettext("Time"),
        gettext("By"),
        gettext("Who"),
        gettext("Of"),
        gettext("Organisation"),
        gettext("Action"),
        gettext("What"),
        gettext("Id"),
        gettext("Name"),
        gettext("Before"),
        gettext("After"),
    ]
    return CsvFile(visit.database.streams, visit.actor.organisation_id, "audit.csv", header, rows)


def _require_reader(visit: Visit) -> None:
    """A partner's viewers see usage and no details of accounts, and those are what its record is about."""
    actor = visit.actor
    if actor.kind is Kind.PARTNER and not actor.role.includes(Role.STAFF):
        raise Forbidden(
            "This page needs the role {needed}, and yours is {role}.", needed="staff", role=actor.role.value
        )


def _scope(visit: Visit) -> UUID | None:
    return None if visit.actor.kind is Kind.OPERATOR else visit.actor.organisation_id


async def _filter(conn: Connection, visit: Visit, wanted: Asked) -> AuditFilter:
    about: tuple[str, ...] | None = None
    if wanted.search:
        scope = _scope(visit)
        accounts = await accounts_named(conn, scope, wanted.search)
        about = (wanted.search, *await named(conn, scope, wanted.search), *accounts)
    return wanted.filter(visit.formats.zone, about)


def _row(visit: Visit, entry: Entry) -> Sequence[object]:
    return (
        visit.formats.exact_moment(entry.at),
        entry.actor_kind,
        entry.actor_name,
        entry.actor_organisation,
        entry.organisation,
        entry.action,
        gettext(DEEDS.get(entry.action, entry.action)),
        entry.subject_id,
        entry.subject_name or name_of(entry),
        _text(entry.before),
        _text(entry.after),
    )


def _text(facts: object) -> str | None:
    return None if facts is None else json.dumps(facts, ensure_ascii=False)
