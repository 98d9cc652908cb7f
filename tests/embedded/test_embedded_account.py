"""The system user that the embedded PostgreSQL runs as."""

import os
import pwd
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, local

import pytest

from tonnage.embedded import account


def test_two_first_starts_at_once_create_one_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second useradd would replace the user by one with another uid."""
    made, both, first = tmp_path / "made", Barrier(2, timeout=30), local()
    useradd = tmp_path / "useradd"
    useradd.write_text(f"#!/bin/sh\necho made >>{made}\n")
    useradd.chmod(0o755)

    def getpwnam(name: str) -> pwd.struct_passwd:
        is_made = made.exists()
        if not getattr(first, "is_over", False):
            first.is_over = True
            both.wait()  # neither has found the user
        if not is_made:
            raise KeyError(name)
        return pwd.struct_passwd((name, "x", 999, 995, "", "", ""))

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(pwd, "getpwnam", getpwnam)
    monkeypatch.setenv("PATH", str(tmp_path))
    with ThreadPoolExecutor(2) as starts:
        started = [starts.submit(account.server_account) for _ in range(2)]
    assert [start.result() for start in started] == [account.Account(999, 995)] * 2
    assert made.read_text().splitlines() == ["made"]
