"""SQL is in the features' files of queries, lists and checks, and in few other places."""

import ast
from collections.abc import Iterator

from tests.house.sql import texts
from tests.house.tree import Kind, Module, modules, show, unused

METHODS = frozenset({"copy", "execute", "executemany", "stream"})
"""Methods of psycopg's connections and cursors."""

ELSEWHERE = {
    "cli/context.py": "runs the lists that features have made; asks whether the server takes changes",
    "cli/doctor_checks.py": "the doctor's questions about the server itself",
    "db/": "pools, sessions and streams: statements of others, and what pins a session",
    "db.py": "pools, sessions and streams: statements of others, and what pins a session",
    "demo/queries.py": "whether a database holds the sample data",
    "embedded/": "the embedded server: its roles and databases",
    "jobs/lists.py": "the queue is no feature, but its SQL stands as if it were one",
    "jobs/queries.py": "the queue is no feature, but its SQL stands as if it were one",
    "lists.py": "the SQL of paging, for the lists of all features",
    "migrations/": "runs the revisions",
    "sandbox/queries.py": "the sandbox is no feature, but its SQL stands as if it were one",
    "sandbox_clock.py": "the clock of a sandbox is in the database, and every package below the features reads it",
    "sealing.py": "secrets at rest, whose table it owns",
    "storage/simulated_queries.py": "what a cluster would keep by itself",
    "web/json_list.py": "runs the statement of a list that a feature has made",
}
"""Other files that may run SQL, and why."""

NOT_OURS = frozenset({"shutil", "os", "request", "_client", "client", "http"})
"""Objects whose methods of these names are not a cursor's."""


def test_sql_is_run_by_queries_lists_and_checks() -> None:
    calls = [(module, line, f"runs {call}") for module in modules() for line, call in _runs(module)]
    statements = [(text.module, text.line, "has a statement") for text in texts() if text.is_statement]
    assert len(calls) > 200
    assert len(statements) > 150
    used: set[str] = set()
    found: list[str] = []
    for module, line, what in calls + statements:
        place = next((place for place in ELSEWHERE if module.where.startswith(place)), None)
        if place:
            used.add(place)
        elif module.kind is not Kind.QUERY:
            found.append(f"{module.where}:{line}: {what}; SQL belongs to queries.py, lists.py or checks.py")
    show(found + [one for one in unused(ELSEWHERE, used) if not one.startswith(("db", "lists.py"))])


def _runs(module: Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Name) and node.func.id == "streamed":
            yield node.lineno, "streamed()"
        elif isinstance(node.func, ast.Attribute) and (node.func.attr in METHODS or node.func.attr == "streamed"):
            owner = node.func.value
            name = owner.attr if isinstance(owner, ast.Attribute) else owner.id if isinstance(owner, ast.Name) else ""
            # Without arguments it is the copy of a collection.
            if name not in NOT_OURS and (node.args or node.keywords):
                yield node.lineno, f"{name}.{node.func.attr}()"
