"""The operator's door: `tonnage`, a file per noun."""

import click

from tonnage.cli.group import Commands


@click.group(
    cls=Commands,
    commands_of={
        "Run": {
            "serve": "Run the API, and the database too unless one is given.",
            "worker": "Run the jobs in a process of their own.",
        },
        "Keep": {
            "migrate": "Bring the database to this version.",
            "doctor": "Check the database, the totals and the secrets.",
            "secret": "Renew the keys that seal secrets.",
            "storage": "Compare clusters with the database.",
            "jobs": "What is done in the background, and what went wrong there.",
        },
        "Sell": {
            "region": "Where storage accounts live.",
            "distributor": "Who holds contracts.",
            "contract": "What a distributor has reserved.",
            "partner": "Who gets a part of a contract.",
            "account": "Storage accounts and their access keys.",
            "usage": "Bring in measured usage.",
        },
        "Admit and account": {
            "operator": "The operator's first member.",
            "member": "People who can sign in.",
            "key": "API keys.",
            "audit": "What was done, and by whom.",
        },
    },
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="tonnage", message="%(prog)s %(version)s")
def main() -> None:
    """Sell S3 storage capacity through distributors and partners.

    Every command works on the database of --database-url, or else on the embedded one in --data-dir: on its running
    server, or on one that it runs meanwhile. Exit status: 0 done, 1 refused or failed, 2 wrong usage.
    """
