"""Reads, sets and removes the marks of accounts on their cluster."""

from datetime import datetime, timedelta

from tonnage.epoch.deletion_mark import (
    WAITING,
    DeletionMark,
    DeletionMarks,
    due_key,
    parsed,
    since_key,
    started_key,
    started_since,
)
from tonnage.storage.bucket import Bucket


async def read_marks(bucket: Bucket) -> DeletionMarks:
    """The marks of all accounts that wait for their deletion."""
    return parsed(await bucket.objects(WAITING))


async def set_mark(bucket: Bucket, marks: DeletionMarks, account_id: int, due: datetime) -> None:
    """Marks an account with the date of its deletion. `marks`: as read before. Since when it is marked stays.

    Interrupted, it leaves a mark that allows no purge.
    """
    if marks.names(account_id, due):
        return
    await bucket.create(since_key(account_id))
    await bucket.create(due_key(account_id, due))
    for other in marks.waiting.get(account_id, DeletionMark()).due - {due}:
        await bucket.delete(due_key(account_id, other))


async def remove_mark(bucket: Bucket, marks: DeletionMarks, account_id: int) -> None:
    """Removes the mark of an account that does not wait any more. `marks`: as read before."""
    mark = marks.waiting.get(account_id)
    if mark is None:
        return
    for due in mark.due:
        await bucket.delete(due_key(account_id, due))
    if mark.since is not None:
        await bucket.delete(since_key(account_id))


async def mark_started(bucket: Bucket, account_id: int) -> None:
    """Records that the purge of an account starts. Stays for ever: it may be needed after the purge."""
    await bucket.create(started_key(account_id))


async def purge_started(bucket: Bucket, account_id: int) -> timedelta | None:
    """How long ago the purge of an account was started, by the cluster's clock; None: it was not."""
    return started_since(await bucket.objects(started_key(account_id)), account_id)
