"""The operator's door: `tonnage`, a file per noun."""

import click

from tonnage.cli.group import Commands


@click.group(
    cls=Commands,
    commands_of={
        "Run": {
            "serve": "Run the API and the jobs, and the embedded database if needed.",
            "worker": "Run the jobs in a separate process.",
            "sandbox": "Advance the clock of a sandbox, and set what its accounts store.",
        },
        "Maintain": {
            "migrate": "Upgrade the database to this version.",
            "doctor": "Check the database, the totals and the secrets.",
            "secret": "Manage the keys that encrypt secrets.",
            "storage": "Compare storage clusters with the database.",
            "restore": "Check and confirm a database that was restored from a backup.",
            "jobs": "List and retry background jobs.",
        },
        "Sell": {
            "region": "Manage regions and their storage clusters.",
            "distributor": "Create and list distributors.",
            "contract": "Create, amend and list contracts.",
            "partner": "Create and list partners.",
            "account": "List storage accounts and manage their access keys.",
            "override": "Grant more capacity until a day.",
            "overdraft-cap": "Limit what is used beyond an allocation.",
            "usage": "Import measured usage.",
            "alert": "List what has reached a level of its capacity, and set levels.",
            "forecast": "Show when capacities will be full, and compute it.",
            "price-book": "Create price books, publish prices and assign them.",
            "statement": "Show, freeze and verify what buyers are charged for a month.",
            "adjustment": "Adjust the next statement of a buyer.",
            "credit-note": "Take back a statement, or a part of it.",
        },
        "Bill": {
            "billing-profile": "Show and set what documents say about sellers and buyers.",
            "billing-settings": "Show and set how a seller's documents are made.",
            "tax-rates": "Show and set a seller's tax rates.",
        },
        "Access and audit": {
            "operator": "Add members of the operator.",
            "member": "Manage members, who can sign in to the console.",
            "session": "List and end the sessions of members.",
            "block": "List and lift blocks after failed sign-ins.",
            "key": "Manage API keys.",
            "audit": "Show the audit log.",
            "event": "Show the feed of events.",
            "webhook": "Manage webhooks, and send events again.",
            "organisation": "Copy or erase what is stored about an organisation.",
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
