"""`tonnage storage unknown` and `adopt`: users of clusters that the database does not know."""

import json
import secrets
from typing import Any
from uuid import UUID

import click

from tonnage.accounts.account import NewAccount
from tonnage.cli.cluster import chosen_clusters, open_cluster
from tonnage.cli.context import Session, on_database, run
from tonnage.cli.organisation import acting_for_partner
from tonnage.cli.output import PrintedColumn, as_json, show_list, show_one, size_column
from tonnage.cli.param_types import EMAIL, NAME, REGION, SIZE
from tonnage.cli.param_types import UUID as UUID_TYPE
from tonnage.cli.secret_input import read_secret
from tonnage.config import Settings
from tonnage.db import Connection
from tonnage.drift.adoption import Adoption
from tonnage.drift.adoption_actions import adopt as adopt_user
from tonnage.drift.adoption_actions import examine, unknown_users
from tonnage.password_rules import account_password
from tonnage.passwords import Passwords
from tonnage.storage.backend import Cluster, UnmanagedUser
from tonnage.units import format_size

_USER_COLUMNS = (
    PrintedColumn("Region", "region"),
    PrintedColumn("User", "user"),
    PrintedColumn("Name", "name"),
    PrintedColumn("E-mail", "email"),
    size_column("Stored", "bytes"),
    PrintedColumn("Objects", "objects", align="right"),
    PrintedColumn("Buckets", "buckets", align="right"),
    PrintedColumn("Keys", "accessKeys", lambda keys: str(len(keys)), align="right"),
    PrintedColumn("Account", "account"),
    PrintedColumn("Cannot be adopted", "obstacles", " ".join),
)


@click.command()
@click.option("--region", type=REGION, help="Only this region.")
@click.option("--all", "of_all", is_flag=True, help="Also users that cannot be adopted, and why.")
@as_json
@on_database
def unknown(settings: Settings, region: str | None, of_all: bool, as_json: bool) -> None:
    """Show the users of clusters that are not in the database, and can be adopted.

    "Account" is the number of an account that Tonnage has created, which is missing in a database restored from a
    backup. Counting buckets needs the capability buckets=read on the cluster.
    """

    async def work(session: Session) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for cluster in await chosen_clusters(session, region):
            async with open_cluster(session, settings, cluster.name) as (_, backend):
                users = await unknown_users(session.database, backend, cluster, session.operator)
            found += [_user(cluster, user) for user in users if of_all or not user.obstacles]
        return found

    found = run(settings, work)
    columns = _USER_COLUMNS if of_all else _USER_COLUMNS[:-1]
    show_list([json.dumps(one, ensure_ascii=False).encode() for one in found], columns, as_json=as_json)


def _user(cluster: Cluster, user: UnmanagedUser) -> dict[str, Any]:
    return {
        "region": cluster.name,
        "user": user.uid,
        "name": user.state.display_name,
        "email": user.state.email,
        "bytes": user.usage.bytes,
        "objects": user.usage.objects,
        "buckets": user.buckets,
        "accessKeys": user.state.access_keys,
        "suspended": user.suspended,
        "account": None if user.account_id is None else str(user.account_id),
        "obstacles": user.obstacles,
    }


_ADOPTION_COLUMNS = (
    PrintedColumn("User", "user"),
    PrintedColumn("Stored", "bytes", format_size),
    PrintedColumn("Objects", "objects"),
    PrintedColumn("Buckets", "buckets"),
    PrintedColumn("Account", "clientAccountId"),
    PrintedColumn("Company name", "name"),
    PrintedColumn("Contact e-mail", "contactEmail"),
    PrintedColumn("Partner", "partnerId"),
    PrintedColumn("Allocated", "allocatedCapacity", lambda size: format_size(size) if size else "Pay-per-use"),
    PrintedColumn("Overdraft", "allowOverdraft", lambda allowed: "yes" if allowed else "no"),
    PrintedColumn("State", "state"),
    PrintedColumn("Access keys", "accessKeys", lambda keys: ", ".join(keys) or "none"),
    PrintedColumn("Changes on the cluster", "changes", lambda changes: "\n".join(map(_change, changes)) or "none"),
)


def _change(change: dict[str, str]) -> str:
    return f"{change['what']}: {change['from'] or 'none'} -> {change['to']}"


@click.command()
@click.argument("user")
@click.option("--region", required=True, type=REGION, help="The region on whose cluster the user is.")
@click.option(
    "--partner", "partner_id", type=UUID_TYPE, prompt="Partner (id)", help="The partner that gets the account."
)
@click.option("--name", type=NAME, prompt="Company name", help="The customer's company name.")
@click.option("--email", type=EMAIL, prompt="Contact e-mail", help="The customer's contact address.")
@click.option(
    "--allocated",
    type=SIZE,
    prompt="Allocated capacity (0: pay-per-use)",
    help="Allocated capacity, such as 5TB; 0 is pay-per-use.",
)
@click.option("--overdraft/--no-overdraft", default=False, help="Whether it may use more than its allocation.")
@click.option("--password", "with_password", is_flag=True, help="Set a password: prompted for, or from standard input.")
@click.option("--dry-run", is_flag=True, help="Show what would be written and changed, and change nothing.")
@as_json
@on_database
def adopt(
    settings: Settings,
    user: str,
    region: str,
    partner_id: UUID,
    name: str,
    email: str,
    allocated: int,
    overdraft: bool,
    with_password: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Make a user of a cluster a storage account. See `tonnage storage unknown`.

    Works for accounts that a restored database does not know, and for users that were on the cluster before Tonnage.
    Nothing is deleted: buckets, objects and access keys stay. From then on the cluster enforces the account's quota,
    and its use is measured. Without --password nobody knows the account's password; its partner can set one.
    """
    password = _password() if with_password and not dry_run else secrets.token_urlsafe(32)

    async def work(session: Session) -> Adoption:
        account = NewAccount(name, email, await Passwords().hash(password), allocated, overdraft, region)
        return await _adopt(session, settings, partner_id, user, account, dry_run=dry_run)

    adopted = run(settings, work)
    document = json.dumps(_adoption(adopted, partner_id, dry_run=dry_run), ensure_ascii=False)
    show_one(document.encode(), _ADOPTION_COLUMNS, as_json=as_json)
    done = "Nothing was changed." if dry_run else "Adopted. The changes are applied to the cluster in a moment."
    click.echo(done, err=True)


async def _adopt(
    session: Session, settings: Settings, partner_id: UUID, uid: str, account: NewAccount, *, dry_run: bool
) -> Adoption:
    partner = await acting_for_partner(session, partner_id)
    async with open_cluster(session, settings, str(account.region)) as (cluster, backend):
        user = await examine(session.database, backend, cluster, uid, account.contact_email)

    async def write(conn: Connection) -> Adoption:
        grace = settings.deletion_grace_days
        return await adopt_user(
            conn, partner, user, account, grace, session.now, dry_run=dry_run, limits=settings.limits
        )

    return await session.database.run(write)


def _password() -> str:
    try:
        return account_password(read_secret("Password"))
    except ValueError as error:
        raise click.UsageError(f"The password {error}.") from error


def _adoption(adopted: Adoption, partner_id: UUID, *, dry_run: bool) -> dict[str, Any]:
    """The account as the API has it, and what happens on the cluster. In a dry run a new number is not known yet."""
    user = adopted.user
    account: dict[str, Any] = json.loads(adopted.account)
    if dry_run and user.account_id is None:
        account["clientAccountId"] = None
    return {
        **account,
        "partnerId": str(partner_id),
        "user": user.uid,
        "bytes": user.usage.bytes,
        "objects": user.usage.objects,
        "buckets": user.buckets,
        "state": "suspended" if user.suspended else "waiting for deletion" if adopted.leaving else "active",
        "accessKeys": user.state.access_keys,
        "changes": [{"what": one.name, "from": one.there, "to": one.here} for one in adopted.changes],
        "adopted": not dry_run,
    }
