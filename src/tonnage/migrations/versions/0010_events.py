"""Events, alerts, forecasts, notifications, webhooks, timed overrides, caps of overdraft and suspensions.

A file per package, in the order of the list.
"""

from tonnage.migrations.sql import run_files

revision = "0010"
down_revision = "0009"

OLDEST_PROGRAM = "0002"
"""The newest revision of the oldest program that may still run on this schema."""

PACKAGES: tuple[str, ...] = (
    "events",
    "api_keys",
    "alerts",
    "forecasts",
    "notifications",
    "webhooks",
    "regions",
    "attention",
    "overrides",
    "overdraft_caps",
    "suspensions",
    "contact_mails",
)


def upgrade() -> None:
    run_files(revision, *PACKAGES)
