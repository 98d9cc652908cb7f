"""Violations of the rules of SQL, tables, clocks and audit entries."""

from tests.plant.kind import HOUSE, PYRIGHT, Plant, house


def _run(method: str, call: str) -> Plant:
    text = f"async def planted(conn, cursor, statement):\n    {call}\n"
    return house(f"SQL run by an action: {method}", f"accounts/planted_{method}_actions.py", text, f"runs .*{method}")


def _write(verb: str, statement: str, table: str) -> Plant:
    file = f"regions/planted_{verb}_queries.py"
    text = f'PLANTED = """{statement}"""\n'
    return house(f"table of another: {verb}", file, text, f"writes {table}, which is written by")


def _clock(name: str, expression: str) -> Plant:
    text = f'PLANTED = "select id from partner where terms_since < {expression}"\n'
    return house(f"clock in SQL: {name}", f"partners/planted_{name}_queries.py", text, "asks the database's clock")


_LITERAL = '''from tonnage.db import Connection


async def planted(conn: Connection, table: str) -> None:
    """Planted."""
    await conn.execute(f"select 1 from {table}")
'''

_JOB = '''

@job("regions.check_planted", label=Sentence("Check"), cron="* * * * *", clock=Clock.WALL)
async def check_planted(services: Services, subject: str) -> None:
    """Planted."""
'''

_PAGE = '''

@routes.post("/planted")
async def planted(page: OperatorAdmin) -> Response:
    """Planted."""
    return page.redirect(PATH)
'''

PLANTS = [
    _run("execute", "await conn.execute(statement)"),
    _run("executemany", "await cursor.executemany(statement, [])"),
    _run("stream", "return cursor.stream(statement)"),
    _run("copy", "return cursor.copy(statement)"),
    _run("streamed", "return streamed(conn, statement, {})"),
    house("SQL in a page", "console/planted_sql.py", 'PLANTED = "select name from partner"\n', "has a statement"),
    house("SQL in queries of no feature", "console/planted_queries.py", 'PLANTED = "select name from partner"\n',
          "has a statement"),
    house("SQL in a command", "cli/planted_sql.py", 'PLANTED = "DELETE FROM partner"\n', "has a statement"),
    house("SQL in a web file", "web/planted_sql.py", 'PLANTED = "with x as (select 1) select 1"\n', "has a statement"),
    _write("insert", "insert into partner (id) values (%s)", "partner"),
    _write("update", "with x as (select 1) update partner p set name_key = '' from x", "partner"),
    _write("delete", "delete from api_key k using partner p where k.organisation_id = p.id", "api_key"),
    _write("truncate", "truncate table usage_sample", "usage_sample"),
    _write("merge", "merge into contract using partner on true when matched then do nothing", "contract"),
    _write("copy", "copy member (email) from stdin", "member"),
    _write("drop", "select drop_oldest_day('traffic_hour', %s)", "traffic_hour"),
    house("table without an owner", "regions/planted_owner_queries.py", 'PLANTED = "insert into nowhere values (1)"\n',
          "writes nowhere, which has no owner"),
    _clock("now", "now()"),
    _clock("current_date", "current_date"),
    _clock("clock_timestamp", "clock_timestamp ( )"),
    _clock("localtimestamp", "localtimestamp"),
    _clock("literal", "'now'::timestamptz"),
    house("clock in a revision", "migrations/sql/0001/planted.sql", "delete from session where last_seen_at < now();\n",
          "is no default"),
    house("order of the server's collation", "partners/planted_order_lists.py",
          'PLANTED = "select id from partner order by name"\n', "orders by text without a collation"),
    house("list that is sorted by text in the server's collation", "partners/planted_sort_lists.py",
          'PLANTED = "p.name"\n', "sorts a list by text without a collation"),
    house("text folded by the server's locale", "partners/planted_fold_lists.py",
          'PLANTED = "select id from partner where lower(name) = %s"\n', "folds text by the server's locale"),
    house("page by a number of rows", "partners/planted_offset_lists.py",
          'PLANTED = "select id from partner limit 50 offset %(skipped)s"\n', "skips rows by their number"),
    house("page by a number of rows from a query", "partners/planted_offset_of_lists.py",
          'PLANTED = "select id from partner limit 50 offset (select 50)"\n', "skips rows by their number"),
    house("audit table named by a feature", "partners/planted_audit_queries.py",
          'PLANTED = "select action from audit_entry"\n', "names the audit table"),
    Plant("SQL that is no literal", PYRIGHT, "src/tonnage/partners/planted_literal_queries.py", _LITERAL,
          r"planted_literal_queries\.py.*error"),
    Plant("POST that nobody knows", HOUSE, "src/tonnage/console/operator/jobs.py", _PAGE, "/operator/jobs/planted"),
    Plant("POST without an audit entry", HOUSE, "src/tonnage/jobs/actions.py", "pass",
          r"^E +assert \(\d+,\) > \(\d+,\)",
          instead_of="await queries.audit_retry(conn, held, actor.stamp)"),
    Plant("audit entry without an event", HOUSE, "src/tonnage/partners/planted_event_queries.py",
          "PLANTED = \"select audit(%(stamp)s, id, 'partner.plant', '', null, null) from partner\"\n",
          "partners writes the audit action partner.plant, which its events.py lacks"),
    Plant("event that nothing writes", HOUSE, "src/tonnage/jobs/events.py",
          'Event("job.plant", "Planted", OPERATOR_ONLY)',
          r"jobs/events\.py has job\.plant, which no statement there writes",
          instead_of='Event("job.retry", "Retried job", OPERATOR_ONLY)'),
    house("job that is not declared", "usage/planted_defer_actions.py",
          'async def planted(conn):\n    await defer(conn, "usage.planted", 1)\n', "usage.planted"),
    Plant("new job without its revision", HOUSE, "src/tonnage/regions/jobs.py", _JOB,
          r"^regions\.check_planted: write since="),
    Plant("released job that is gone", HOUSE, "src/tonnage/metering/jobs.py", '"metering.sample_planted"',
          r"^metering\.sample_all: a release has it", instead_of='"metering.sample_all"'),
]  # fmt: skip
