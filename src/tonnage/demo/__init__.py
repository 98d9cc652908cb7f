"""Sample data for `serve --demo`: the distributor of the walk-through, another one, 13 months of usage, and their
statements."""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from tonnage import keyfile
from tonnage.clock import WallClock
from tonnage.db import Connection, Database
from tonnage.demo import admission, billing_loading, queries, scene
from tonnage.demo.admission import Secrets
from tonnage.demo.loading import load
from tonnage.forecasts import actions as forecasts
from tonnage.keyfile import KeyFile
from tonnage.passwords import Passwords
from tonnage.regions.backends import OpenBackends
from tonnage.services import Services


class DemoRefused(Exception):
    """The sample data cannot be loaded; nothing was changed. The message says why and what to do."""


@dataclass(frozen=True)
class Demo:
    """What the start prints."""

    admin_key: str
    """An admin's key of the walk-through's distributor."""
    key_file: Path
    """The file with all keys and passwords."""
    logins: dict[str, list[str]]
    """The addresses of members, by the name of their organisation."""


def path_in(data_dir: Path) -> Path:
    """The path of the file with the keys."""
    return data_dir / "demo.json"


async def prepare(
    database: Database, data_dir: Path, base_url: str, now: datetime, *, passwords: Passwords | None = None
) -> Demo:
    """Loads the sample data, all or nothing, unless it exists already, writes its keys to `DATA_DIR/demo.json`,
    freezes the statements of the months that are over, and computes what is charged for the running one and when
    capacities will be full.

    `base_url` is the address of the API, ending in `/v1`. Existing sample data is not changed, nor are its keys and
    passwords: in the file only `base_url` changes. If the file is lost or its keys no longer work, it is written again
    with new keys and new passwords, without those of closed partners and deleted members; old keys stay valid.

    Raises DemoRefused: there is other data in the database, or the file cannot be written or read.
    """
    try:
        kept = await database.run(_kept, data_dir, now)
        if kept is None:
            fresh = await admission.new_secrets(passwords or Passwords())
            kept = await database.transaction(_made, data_dir, base_url, fresh, now)
        await billing_loading.freeze_months(Services(database, OpenBackends(database, None), data_dir=data_dir))
        await billing_loading.compute_nets(database, now)
        await forecasts.compute(database, now, WallClock())
        if kept.base_url != base_url:
            keyfile.write(path_in(data_dir), replace(kept, base_url=base_url))
    except OSError as error:
        raise DemoRefused(
            f"The keys of the demo cannot be saved in {path_in(data_dir)}: "
            f"{error.strerror or error}. Use another data directory, or make this one writable."
        ) from error
    logins: dict[str, list[str]] = {}
    for member in kept.members:
        logins.setdefault(member.organisation, []).append(member.email)
    return Demo(kept.keys[scene.ADMIN_KEY], path_in(data_dir), logins)


async def _kept(conn: Connection, data_dir: Path, now: datetime) -> KeyFile | None:
    """The key file of the sample data in this database; None if there is none that works, or no sample data."""
    # Only the demo creates the walk-through's distributor: every other one gets a random id.
    if await queries.has_organisation(conn, scene.DISTRIBUTOR.id):
        found = keyfile.read(path_in(data_dir))
        key = found and found.keys.get(scene.ADMIN_KEY)
        return found if key and await admission.admits(conn, key, now) else None
    if not await queries.is_empty(conn):
        raise DemoRefused(
            "The database already holds other data, and sample data is not mixed with it. Start without "
            "--demo, or give the demo its own database or data directory."
        )
    return None


async def _made(conn: Connection, data_dir: Path, base_url: str, fresh: Secrets, now: datetime) -> KeyFile:
    """Loads what is missing: the data, or only its key file."""
    await queries.lock(conn)
    kept = await _kept(conn, data_dir, now)  # another start may have come first
    if kept is not None:
        return kept
    if await queries.has_organisation(conn, scene.DISTRIBUTOR.id):
        members = await admission.renew_passwords(conn, fresh)
    else:
        await load(conn, fresh.nobodys_hash, now)
        members = await admission.create_members(conn, fresh, now)
    made = KeyFile(base_url, await admission.create_keys(conn, now), members)
    # Written before the transaction ends: a file with keys that were rolled back is written again, but data whose keys
    # were never written would be inaccessible.
    keyfile.write(path_in(data_dir), made)
    return made
