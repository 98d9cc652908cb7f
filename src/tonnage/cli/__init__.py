"""The operator's door: `tonnage`, a file per noun."""

import click

from tonnage.cli.group import Commands


@click.group(
    cls=Commands,
    commands_of={
        "Run": {
            "serve": "Run the API and the jobs, and the embedded database if needed.",
            "worker": "Run the jobs in a separate process.",
        },
        "Maintain": {
            "migrate": "Upgrade the database to this version.",
            "doctor": "Check the database, the totals and the secrets.",
            "secret": "Manage the keys that encrypt secrets.",
            "storage": "Compare storage clusters with the database.",
            "jobs": "Background jobs, and those that failed.",
        },
        "Sell": {
            "region": "Regions, where storage accounts live.",
            "distributor": "Distributors, who hold contracts.",
            "contract": "Contracts: reserved capacity and prices.",
            "partner": "Partners, who share a contract's capacity.",
            "account": "Storage accounts and their access keys.",
            "usage": "Import measured usage.",
        },
        "Access and audit": {
            "operator": "Add members of the operator.",
            "member": "Members: people who can sign in.",
            "key": "API keys.",
            "audit": "The audit log: every change, and who made it.",
        },
    },
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="tonnage", message="%(prog)s %(version)s")
def main() -> None:
    """Sell S3 storage capacity through distributors and partners.

    Every command works on the database of --database-url or, without it, on the embedded one in --data-dir: on its
    running server, or on one that the command starts and stops. Exit status: 0 done, 1 refused or failed, 2 wrong
    usage.
    """
