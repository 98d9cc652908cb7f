"""The record of what was done."""

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import NamedTuple
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from tonnage.access.audit import AuditEntry, AuditFilter, AuditPosition
from tonnage.access.lists import audit_entries, every_audit_entry, ids_by_name
from tonnage.accounts.queries import account_ids_by_name, account_labels
from tonnage.console.organisation import audit_search
from tonnage.console.organisation.audit_diff import accounts_in, changes, contracts_in, name_of, page_of
from tonnage.console.organisation.audit_labels import ACTION_LABELS, choices
from tonnage.console.organisation.audit_search import NEWEST, OLDEST, AuditSearch
from tonnage.console.page_request import AnyMember, PageRequest
from tonnage.console.rendering import gettext
from tonnage.contracts.lists import contract_labels
from tonnage.db import Connection
from tonnage.web.csv_file import CsvFile
from tonnage.web.routing import AuthFirstRoute

routes = APIRouter(prefix="/audit", route_class=AuthFirstRoute, include_in_schema=False)

_SHOWN = 50
"""Entries on a page."""


@routes.get("")
async def audit(page: AnyMember) -> Response:
    """The newest first, of the reader's organisation and its partners; of everybody for the operator."""
    wanted = audit_search.read_search(page.request.query_params)
    scope = page.actor.scope

    async def look(conn: Connection) -> tuple[AuditPage, dict[str, str]]:
        found = await _read(conn, scope, await _filter(conn, page, wanted), wanted.position)
        contracts = await contract_labels(conn, scope, contracts_in(found.entries))
        return found, contracts | await account_labels(conn, scope, accounts_in(found.entries))

    found, names = await page.database.run(look)
    return page.render(
        "organisation/audit.html",
        wanted=wanted,
        entries=found.entries,
        newer=found.newer,
        older=found.older,
        oldest=OLDEST,
        names=names,
        labels=ACTION_LABELS,
        choices=choices(page.actor.kind),
        changes=changes,
        name_of=name_of,
        page_of=page_of,
    )


@routes.get(".csv")
async def audit_file(page: AnyMember) -> Response:
    """The same entries, all pages of them."""
    wanted = audit_search.read_search(page.request.query_params)
    chosen = await page.database.run(_filter, page, wanted)

    async def rows(conn: Connection) -> AsyncGenerator[Sequence[object]]:
        async with aclosing(every_audit_entry(conn, page.actor.scope, chosen)) as found:
            async for entry in found:
                yield _row(page, entry)

    header = [
        gettext("Time"),
        gettext("Actor type"),
        gettext("Actor"),
        gettext("Actor organisation"),
        gettext("Organisation"),
        gettext("Action"),
        gettext("Description"),
        gettext("ID"),
        gettext("Name"),
        gettext("Before"),
        gettext("After"),
        gettext("Client address"),
        gettext("Request ID"),
    ]
    reader = page.formats.number_format
    await page.record_export("audit.csv")
    return CsvFile(page.database.streams, page.actor.organisation_id, "audit.csv", header, rows, reader)


class AuditPage(NamedTuple):
    """Entries, and the positions of those that are newer and older, if there are any."""

    entries: list[AuditEntry]
    newer: AuditPosition | None
    older: AuditPosition | None


async def _read(conn: Connection, scope: UUID | None, chosen: AuditFilter, position: AuditPosition) -> AuditPage:
    """One entry more than the page has shows whether there are more in its direction. In the other direction is the
    entry that the page continues.
    """
    found = await audit_entries(conn, scope, chosen, position, _SHOWN + 1)
    if not found and position.entry is not None:  # nothing is left there
        position = NEWEST if position.is_newer else OLDEST
        found = await audit_entries(conn, scope, chosen, position, _SHOWN + 1)
    if not found:
        return AuditPage([], None, None)
    more, continues = len(found) > _SHOWN, position.entry is not None
    entries = found[-_SHOWN:] if position.is_newer else found[:_SHOWN]
    newer, older = AuditPosition(entries[0].id, is_newer=True), AuditPosition(entries[-1].id)
    has_newer, has_older = (more, continues) if position.is_newer else (continues, more)
    return AuditPage(entries, newer if has_newer else None, older if has_older else None)


async def _filter(conn: Connection, page: PageRequest, wanted: AuditSearch) -> AuditFilter:
    about: tuple[str, ...] | None = None
    if wanted.search:
        scope = page.actor.scope
        accounts = await account_ids_by_name(conn, scope, wanted.search)
        about = (wanted.search, *await ids_by_name(conn, scope, wanted.search), *accounts)
    return wanted.filter(page.formats.zone, about)


def _row(page: PageRequest, entry: AuditEntry) -> Sequence[object]:
    return (
        page.formats.exact_moment(entry.at),
        entry.actor_kind,
        entry.actor_name,
        entry.actor_organisation,
        entry.organisation,
        entry.action,
        gettext(ACTION_LABELS.get(entry.action, entry.action)),
        entry.subject_id,
        entry.subject_name or name_of(entry),
        _text(entry.before),
        _text(entry.after),
        entry.address,
        entry.request_id,
    )


def _text(facts: object) -> str | None:
    return None if facts is None else json.dumps(facts, ensure_ascii=False)
