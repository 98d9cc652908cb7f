"""Commands that share a server which one of them has started."""

import threading
from pathlib import Path

import psycopg
import pytest

from tonnage.embedded import DirectoryInUse, connect_or_serve, serve

PATIENCE = 60.0


def test_a_command_that_has_ended_waits_for_the_other(tmp_path: Path) -> None:
    entered, leave, ended = threading.Event(), threading.Event(), threading.Event()
    answers: list[object] = []

    def second_command() -> None:
        with connect_or_serve(tmp_path / "data", durable=False) as (_, address):
            entered.set()
            assert leave.wait(PATIENCE)
            with psycopg.connect(address) as conn:
                answers.append(conn.execute("select 1").fetchone())
            assert not ended.is_set()

    guest = threading.Thread(target=second_command)

    def first_command() -> None:
        with connect_or_serve(tmp_path / "data", durable=False):
            guest.start()
            assert entered.wait(PATIENCE)
        ended.set()

    host = threading.Thread(target=first_command)
    host.start()
    assert entered.wait(PATIENCE)
    leave.set()
    for thread in (guest, host):
        thread.join(PATIENCE)
    assert answers == [(1,)]
    assert ended.is_set()


def test_serve_waits_for_a_command_and_refuses_beside_another_serve(tmp_path: Path) -> None:
    serving = threading.Event()
    done = threading.Event()

    def server() -> None:
        with serve(tmp_path / "data", durable=False):
            serving.set()
            assert done.wait(PATIENCE)

    thread = threading.Thread(target=server)
    with connect_or_serve(tmp_path / "data", durable=False):
        thread.start()
        assert not serving.is_set()
    assert serving.wait(PATIENCE)
    with pytest.raises(DirectoryInUse), serve(tmp_path / "data", durable=False):
        pass
    done.set()
    thread.join(PATIENCE)
