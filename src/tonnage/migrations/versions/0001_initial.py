"""The schema of the first release."""

from tonnage.migrations.sql import run_files

revision = "0001"
down_revision = None

OLDEST_PROGRAM = "0001"
"""The newest revision of the oldest program that may still run on this schema."""


def upgrade() -> None:
    run_files(
        revision,
        *("migrations", "sealing", "organisations", "access", "api_keys", "members", "authentication"),
        *(
            "money",
            "contracts",
            "partners",
            "regions",
            "accounts",
            "access_keys",
            "provisioning",
            "usage",
            "metering",
            "jobs",
        ),
    )
