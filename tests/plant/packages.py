"""Violations of the order of packages and files."""

from tests.plant.kind import HOUSE, IMPORTS, Plant, house, imports

PLANTS = [
    imports("order of packages", "contracts/planted_order.py", "tonnage.partners.partner"),
    imports("ground that uses a feature", "web/planted.py", "tonnage.access.actor"),
    imports("door opened by a command", "cli/commands/planted.py", "tonnage.contracts.api"),
    imports("door of a package opened by a page", "console/planted_door.py", "tonnage.accounts.api.published"),
    imports("background door opened by a feature", "provisioning/planted_door.py", "tonnage.access_keys.jobs"),
    imports("audience that knows another", "console/operator/planted.py", "tonnage.console.partner.usage"),
    imports("ground that is not pure", "units.py", "tonnage.db"),
    imports("job that imports the web framework", "notices/jobs.py", "fastapi.routing"),
    imports("keys of pages that know the database", "keyset.py", "tonnage.db"),
    imports("noun of storage that knows the web", "storage/bucket.py", "tonnage.web"),
    house("query that uses an action", "accounts/planted_order_queries.py", "from tonnage.accounts import actions\n",
          "query imports .*which is action"),
    house("action that uses a door", "usage/planted_order_actions.py", "from tonnage.usage import jobs\n",
          "action imports .*which is door"),
    house("noun that uses a query", "members/planted_order.py", "from tonnage.members import queries\n",
          "noun imports .*which is query"),
    house("door that uses another", "metering/api/planted.py", "from tonnage.contracts import api\n",
          "imports the door"),
    house("noun with a database", "accounts/planted_database.py", "import psycopg\n", "a noun imports psycopg"),
    house("noun with the web", "members/planted_web.py", "from tonnage.web import forms\n",
          "a noun imports tonnage.web"),
    house("noun with a clock", "contracts/planted_clock.py", "from tonnage.clock import system_time\n",
          "a noun imports tonnage.clock"),
    house("noun that waits", "partners/planted_wait.py", "async def planted() -> None: ...\n", "is asynchronous"),
    house("noun that opens a file", "organisations/planted_file.py", "PLANTED = open('x')\n", "a noun calls open"),
    house("machine's clock", "contracts/planted_actions.py",
          "from datetime import UTC, datetime\n\nPLANTED = datetime.now(UTC)\n", "reads the machine's clock"),
    house("machine's clock by time", "api_keys/planted_actions.py", "import time\n\nPLANTED = time.time()\n",
          "reads the machine's clock"),
    house("second file without its noun", "partners/planted_alone_lists.py", "", "there is no planted_alone.py"),
    house("folder in a feature", "contracts/planted/inside.py", "", "no folders but api"),
    house("code in a feature's init", "organisations/__init__.py", "PLANTED = 1\n", "holds code"),
    Plant("feature with too many files", HOUSE, "src/tonnage/authentication/planted_more.py", "",
          "^authentication: has .* files"),
    Plant("list state of the web in a feature", HOUSE, "src/tonnage/partners/planted_state_lists.py",
          "from tonnage.web import list_state\n", "planted_state_lists.py.*only pages read the state"),
]  # fmt: skip

HOLE = Plant("package without a place", IMPORTS, "src/tonnage/planted/__init__.py", "", r"- tonnage\.planted$")
"""Planted last, and alone: import-linter then reports no other violation of the order."""
