"""`tonnage restore`: a database that was put back from a backup."""

import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import click

from tonnage.cli.context import Session, on_database, run
from tonnage.cli.output import as_json
from tonnage.cli.param_types import REGION
from tonnage.cli.services import open_services
from tonnage.config import Settings
from tonnage.epoch.record import not_compared
from tonnage.recovery.actions import ConfirmOptions, confirm, inspect, take_over
from tonnage.recovery.findings import Confirmed, Findings, RegionFindings
from tonnage.services import Services

T = TypeVar("T")


@click.group()
def restore() -> None:
    """A database that was restored from a backup, beside storage clusters that went on."""


def _with_services(settings: Settings, work: Callable[[Session, Services], Awaitable[T]]) -> T:
    async def in_session(session: Session) -> T:
        async with open_services(session, settings) as services:
            return await work(session, services)

    return run(settings, in_session)


@restore.command()
@as_json
@on_database
def check(settings: Settings, as_json: bool) -> None:
    """Show what a restored database does not know, and what `restore confirm` would do. Changes nothing.

    Compares the database's epoch with the data directory and every cluster, and the accounts with those of the
    clusters. Exit status 1 if anything has to be decided or confirmed, or could not be compared.
    """
    found = _with_services(settings, lambda session, services: inspect(services, session.operator))
    if as_json:
        click.echo(json.dumps(_document(found), ensure_ascii=False))
    else:
        for line in _report(found):
            click.echo(line)
    if not found.is_clean:
        raise SystemExit(1)


@restore.command("confirm")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--keep-revoked", is_flag=True, help="Keep API keys and members revoked after the backup.")
@click.option("--keep-deletions", is_flag=True, help="Keep deletions scheduled that the clusters have not marked.")
@click.option("--take-over", type=REGION, help="First take this region's cluster over from another installation.")
@on_database
def confirm_(settings: Settings, yes: bool, keep_revoked: bool, keep_deletions: bool, take_over: str | None) -> None:
    """Confirm that this database is the one to go on with. What was on hold starts again.

    Revokes keys and removes members again for which that was done after the backup, takes back deletions that the
    clusters have not marked, ends all sessions, drops mails of the backup, and starts a comparison of every cluster,
    which applies the database's state. Run `tonnage restore check` first.
    """

    async def work(session: Session, services: Services) -> Confirmed:
        if take_over is not None:
            await _take_over(session, services, take_over)
        return await confirm(services, session.operator, ConfirmOptions(keep_revoked, keep_deletions))

    if not yes:
        click.confirm("Is this the database to go on with, and is no other copy of it in use?", abort=True, err=True)
    for line in _done(_with_services(settings, work)):
        click.echo(line)


async def _take_over(session: Session, services: Services, region: str) -> None:
    removed = await take_over(services, session.operator, region)
    click.echo(f"Took the cluster of the region {region} over from: {', '.join(removed) or 'nobody'}.", err=True)


def _document(found: Findings) -> dict[str, Any]:
    return {
        "clean": found.is_clean,
        "epoch": found.epoch,
        "onHold": found.hold is not None,
        "reason": found.hold and found.hold.reason,
        "places": [{"place": one.place, "epoch": one.epoch, "problem": one.problem} for one in found.records],
        "revoked": [{"kind": kind, "organisation": of, "name": name} for kind, of, name in found.active_again],
        "mails": found.mails,
        "numbers": [{"seller": str(one.series.seller_id), "numbers": one.text} for one in found.numbers],
        "regions": [
            {
                "region": one.region,
                "problem": one.problem,
                "waiting": [
                    {"id": str(each.account_id), "due": f"{each.due:%Y-%m-%dT%H:%M:%SZ}", "marked": each.marked}
                    for each in one.waiting
                ],
                "differences": [
                    {"subject": each.subject, "description": each.description, "action": each.remedy}
                    for each in one.drift
                ],
            }
            for one in found.regions
        ],
    }


def _report(found: Findings) -> Iterator[str]:
    yield f"On hold: {found.hold.reason}" if found.hold else "Not on hold."
    yield f"Epoch of the database: {found.epoch}"
    for one in found.records:
        state = one.problem or f"{one.epoch}{', higher than the database' if one.epoch > found.epoch else ''}"
        yield f"  in {one.place}: {state}"
    if found.active_again:
        yield "Revoked or removed after the backup; `restore confirm` does so again:"
        yield from (f"  {kind} of {organisation}: {name}" for kind, organisation, name in found.active_again)
    if found.hold or found.is_older:
        yield f"Mails of the backup, which `restore confirm` drops: {found.mails}"
    if found.numbers:
        yield "Numbers of documents that may have been issued after the backup; `restore confirm` goes on after them:"
        yield from (f"  of {one.series.seller_id}: {one.text}" for one in found.numbers)
    yield from (f"Numbers of documents cannot be read in {one}" for one in found.unread)
    for region in found.regions:
        yield from _of_region(region)
    yield "Nothing has to be confirmed." if found.is_clean else "Decide, then run `tonnage restore confirm`."


def _of_region(found: RegionFindings) -> Iterator[str]:
    yield f"Region {found.region}:"
    if found.problem:
        yield f"  could not be compared: {found.problem}"
        return
    if found.unconfirmed:
        yield f"  {not_compared(found.region)}"
    yield f"  waiting for deletion: {len(found.waiting)} storage accounts"
    for one in found.cancelled:
        yield f"    {one.account_id} ({one.name}), due {one.due:%Y-%m-%d}: not so marked on the cluster. It is kept."
    yield f"  differences: {len(found.drift)}"
    yield from (f"    {one.subject} {one.description}" for one in found.drift)


def _done(done: Confirmed) -> Iterator[str]:
    yield f"Confirmed. The epoch is {done.epoch}, and nothing is on hold."
    if done.deletions:
        yield f"Deletions taken back: {', '.join(map(str, done.deletions))}"
    yield f"Revoked again: {done.keys} API keys. Removed again: {done.members} members."
    yield from (f"The last admin of {one} was kept." for one in done.last_admins)
    yield f"Mails dropped: {done.mails}. All sessions have ended."
    if done.pending_keys:
        yield f"Access keys that were being created: {done.pending_keys} are now listed as not created here."
    yield from (f"Numbers of {one.series.seller_id} that are not given again: {one.text}" for one in done.numbers)
    if compared := [region for region, is_compared in done.regions.items() if is_compared]:
        yield f"Compared in the background: {', '.join(compared)}. See: tonnage storage drift"
    yield from (not_compared(region) for region, is_compared in done.regions.items() if not is_compared)
