"""`tonnage forecast`: when capacities will be full."""

import json
from uuid import UUID

import click

from tonnage.accounts.actions import no_account
from tonnage.alerts.alert_level import AlertSubject
from tonnage.cli.context import Session, on_database, run
from tonnage.cli.organisation import chosen_organisation, organisation_or_operator, require_one
from tonnage.cli.output import PrintedColumn, as_json, show_list, size_column
from tonnage.cli.subject import on_subject
from tonnage.clock import WallClock
from tonnage.config import Settings
from tonnage.contracts.contract import no_contract
from tonnage.errors import NotFound
from tonnage.forecasts import actions
from tonnage.forecasts.lists import FullSoon, full_soonest
from tonnage.forecasts.queries import ForecastRun, forecast_of
from tonnage.organisations.organisation import no_partner
from tonnage.price_books.assignment import Subject, SubjectKind

_DAYS = (PrintedColumn("Earliest", "earliest"), PrintedColumn("Likely", "likely"), PrintedColumn("Latest", "latest"))

_COLUMNS = (
    PrintedColumn("What", "subject"),
    PrintedColumn("ID", "subjectId"),
    PrintedColumn("Name", "name"),
    size_column("Of", "capacity"),
    *_DAYS,
)


@click.group()
def forecast() -> None:
    """Forecasts: when capacities will be full."""


@forecast.command("list")
@organisation_or_operator
@click.option("--most", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many to list.")
@as_json
@on_database
def list_(settings: Settings, organisation_id: UUID | None, of_operator: bool, most: int, as_json: bool) -> None:
    """List what is full soonest: of a partner its storage accounts, of a distributor its partners, of the operator the
    contracts."""
    require_one(organisation_id, of_operator=of_operator)

    async def work(session: Session) -> list[FullSoon]:
        actor = await chosen_organisation(session, organisation_id, of_operator=of_operator)
        return await session.database.run(full_soonest, actor.organisation_id, most)

    show_list([_document(row) for row in run(settings, work)], _COLUMNS, as_json=as_json)


def _document(row: FullSoon) -> bytes:
    days = (("earliest", row.earliest), ("likely", row.likely), ("latest", row.latest))
    return json.dumps(
        {
            "subject": row.subject,
            "subjectId": row.id,
            **({"name": row.name} if row.name is not None else {}),
            "organisationId": str(row.organisation_id),
            "capacity": row.capacity,
            **{name: day.isoformat() for name, day in days if day is not None},
        },
        ensure_ascii=False,
    ).encode()


@forecast.command()
@on_subject
@as_json
@on_database
def show(settings: Settings, subject: Subject, as_json: bool) -> None:
    """Show when something will be full, or why that is not known."""

    async def work(session: Session) -> bytes:
        found = await session.database.run(forecast_of, None, AlertSubject(subject.kind), subject.id)
        if found is None:
            raise _missing(subject)
        return json.dumps(found.document()).encode()

    document = run(settings, work)
    if as_json:
        click.echo(document)
    else:
        columns = (*_DAYS, PrintedColumn("No forecast", "reason"), PrintedColumn("Computed", "computedOn"))
        show_list([document], columns, as_json=False)


def _missing(subject: Subject) -> NotFound:
    if isinstance(subject.id, int):
        return no_account(subject.id)
    return no_contract(subject.id) if subject.kind is SubjectKind.CONTRACT else no_partner(subject.id)


@forecast.command()
@on_database
def compute(settings: Settings) -> None:
    """Compute all forecasts now, as a job does every night."""

    async def work(session: Session) -> ForecastRun:
        return await actions.compute(session.database, session.now, WallClock())

    found = run(settings, work)
    click.echo(f"Forecasts: {found.forecasts}, of {found.subjects} with a capacity.", err=True)
