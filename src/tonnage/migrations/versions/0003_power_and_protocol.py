"""Locks, traces and safe writes: a file per package, in the order of the list."""

from tonnage.migrations import email_keys
from tonnage.migrations.sql import driver_connection, run_files

revision = "0003"
down_revision = "0002"

OLDEST_PROGRAM = "0002"
"""The newest revision of the oldest program that may still run on this schema."""

PACKAGES = (
    "access",
    "organisations",
    "members",
    "partners",
    "accounts",
    "idempotency",
    "epoch",
    "authentication",
    "devices",
)


def upgrade() -> None:
    run_files(revision, *PACKAGES)
    email_keys.renew(driver_connection())
