"""Every feature has the same few kinds of files, and not too many of them."""

import ast
from collections import Counter

from tests.house.tree import Kind, Module, features, modules, of_features, show, unused

MOST_FILES = 16
"""A feature with more should be two."""

PLAIN = frozenset({"api", "jobs", "actions", "queries", "lists", "checks"})

BESIDE_NO_NOUN = {
    "accounts/extended_queries.py": "how the extensions of the API show an account: texts of SQL for other files",
    "access_keys/clean_up_actions.py": "the end of what was interrupted, for a job",
    "attention/capacity_lists.py": "what is over its capacity, near it or growing: rows of other features",
    "attention/cluster_lists.py": "what is wrong with storage clusters: rows of other features",
    "authentication/credential_actions.py": "passwords and second factors together, of oneself and of others",
    "authentication/reset_actions.py": "forgotten passwords; a reset is a row without rules",
    "authentication/reset_queries.py": "forgotten passwords; a reset is a row without rules",
    "authentication/sign_in_actions.py": "signing in is what makes a session, and that has a noun",
    "authentication/sign_in_queries.py": "signing in is what makes a session, and that has a noun",
    "members/profile_queries.py": "what a member sets for itself; a profile is columns of a member",
    "partners/contract_lists.py": "contracts as people page through them, with their partners counted",
    "overrides/ending_queries.py": "the same statement by a person and by the clock; an end is columns of an override",
    "partners/creation_queries.py": "one long statement, and when it counts",
    "partners/distributor_lists.py": "distributors as people page through them, with what their partners use",
    "partners/distributor_queries.py": "closing a distributor, which must have no partners",
    "partners/forecast_lists.py": "texts of SQL for the lists of partners, contracts and accounts",
    "partners/move_queries.py": "one long statement, and the order of its locks",
    "partners/terms_lists.py": "the history of terms, as people page through it",
    "members/withheld_queries.py": "what a restored database has again; the rule is in its statements",
    "provisioning/key_drift_actions.py": "the part of drift detection that is about access keys",
    "provisioning/deletion_drift_actions.py": "the part of drift detection that is about deletions",
    "usage/import_queries.py": "staging samples, which have a noun; `import` is a keyword",
    "usage/retention_queries.py": "what is deleted and prepared every night",
    "usage/rollup_queries.py": "from samples to daily values, statement by statement",
    "usage/totals_queries.py": "the second half of the roll-up: what is written",
}
"""A second file of queries, actions or lists without a noun of its own beside it, and why."""


def test_a_second_file_stands_beside_its_noun() -> None:
    """`move_queries.py` needs a `move.py`, which defines a move."""
    found: list[str] = []
    used: set[str] = set()
    for module, kind in of_features():
        noun = _noun_of(module)
        if kind is Kind.NOUN or noun is None or (module.path.parent / f"{noun}.py").exists():
            continue
        used.add(module.where)
        if module.where not in BESIDE_NO_NOUN:
            found.append(f"{module.where}: there is no {noun}.py beside it")
    show(found + unused(BESIDE_NO_NOUN, used))


def _noun_of(module: Module) -> str | None:
    """The part of the name before its kind; None for one of the plain files."""
    noun, _, kind = module.stem.rpartition("_")
    return noun if kind in PLAIN and noun else None


def test_only_doors_are_packages() -> None:
    show(
        [
            f"{module.where}: a feature has no folders but api/"
            for module, _ in of_features()
            if module.where.count("/") > 1 and module.stem != "api"
        ]
    )


def test_a_feature_has_no_code_in_its_init() -> None:
    """The import of a feature's noun must not import its doors."""
    show(
        [
            f"{module.where}: holds code"
            for module in modules()
            if module.where == f"{module.package}/__init__.py" and module.package in features()
            if [node for node in module.tree.body if not isinstance(node, ast.Expr)]
        ]
    )


def test_a_feature_is_not_too_large() -> None:
    counts = Counter(module.package for module, _ in of_features())
    show([f"{name}: has {count} files, at most {MOST_FILES}" for name, count in counts.items() if count > MOST_FILES])
