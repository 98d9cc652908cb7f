"""Jobs are deferred by name, by features that do not import them: every name must be declared, with its label."""

import ast
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.house.tree import show
from tests.source import FILES, SOURCE
from tonnage.jobs.declaration import DECLARED, LONG, job
from tonnage.migrations.revisions import PROGRAM
from tonnage.services import Services
from tonnage.wording.catalogue import languages
from tonnage.worker import JOB_MODULES

RELEASED = {
    "0001": {
        "access_keys.clean_up",
        "access_keys.clean_up_all",
        "authentication.notify_blocked",
        "authentication.run_maintenance",
        "authentication.send_reset",
        "metering.sample",
        "metering.sample_all",
        "provisioning.full_reconcile",
        "provisioning.full_reconcile_all",
        "provisioning.purge_all",
        "provisioning.purge_region",
        "provisioning.reconcile",
        "provisioning.requota",
        "provisioning.verify_identity",
        "regions.check_all",
        "usage.run_maintenance",
    }
}
"""The jobs that each release brought, by its newest revision. Never edited: a release adds an entry."""

ON_DEMAND = {name for name, declared in DECLARED.items() if declared.cron is None}


def deferred() -> Iterator[tuple[str, str]]:
    """Position and name of each deferred job, by `defer(conn, name, ...)` or `run(defer, name, ...)`."""
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            calls = [getattr(one, "id", "") == "defer" for one in [node.func, *node.args]]
            if any(calls):
                at = calls.index(True)
                name = node.args[1] if at == 0 else node.args[at]
                assert isinstance(name, ast.Constant), f"{path}:{node.lineno}: write the name where it is deferred"
                assert isinstance(name.value, str)
                yield f"{path.relative_to(SOURCE)}:{node.lineno}", name.value


def test_every_deferred_name_is_declared() -> None:
    assert [(where, name) for where, name in deferred() if name not in ON_DEMAND] == []


def test_every_job_that_does_not_recur_is_deferred() -> None:
    assert {name for _, name in deferred()} == ON_DEMAND


def test_the_worker_imports_every_module_that_declares_jobs() -> None:
    declaring = {path.parent.name for path in FILES if path.name == "jobs.py" and path.parent.name != "commands"
                 and "@job(" in path.read_text()}  # fmt: skip
    assert {module.__name__.split(".")[1] for module in JOB_MODULES} == declaring


@pytest.mark.parametrize("root", ["tonnage.asgi", "tonnage.cli.context", "tonnage.worker"])
def test_every_process_that_defers_declares_all_jobs(root: str) -> None:
    """In a process that has imported nothing else."""
    listing = f"import {root}; from tonnage.jobs.declaration import DECLARED; print(*DECLARED)"
    known = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, check=True).stdout
    assert set(known.split()) >= ON_DEMAND


def test_a_job_is_named_after_its_package_and_has_a_label() -> None:
    for name, declared in DECLARED.items():
        assert name.split(".")[0] == declared.function.__module__.split(".")[1], name
        assert name.split(".")[1] == getattr(declared.function, "__name__", ""), name
        assert declared.label.strip(), name
    assert languages(), "labels are translated where they are shown"


def test_a_new_job_names_the_revision_of_its_release() -> None:
    """A worker of an earlier release would fetch it, and fail it for good: it does not know the name."""
    release_of = {name: revision for revision, names in RELEASED.items() for name in names}
    coming = {revision for revision in PROGRAM.names() if revision > max(RELEASED)}
    found: list[str] = []
    for name, declared in DECLARED.items():
        allowed = {release_of[name]} if name in release_of else coming
        if declared.since not in allowed:
            found.append(f"{name}: write since={max(allowed, default='?')!r} at its declaration")
    show(found)


def test_a_released_job_stays_declared() -> None:
    """During an upgrade a program of an earlier release may still defer it."""
    released = {name for names in RELEASED.values() for name in names}
    show([f"{name}: a release has it, and nothing declares it" for name in sorted(released - set(DECLARED))])


def test_a_name_is_declared_once() -> None:
    async def sample(services: Services, subject: str) -> None: ...

    with pytest.raises(ValueError, match="declared twice"):
        job("metering.sample", label="Another", queue=LONG)(sample)
