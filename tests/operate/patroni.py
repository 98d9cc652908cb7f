"""Three PostgreSQL servers under Patroni and etcd on loopback, as an operator runs them on three machines."""

import secrets
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tests.operate.etcd import Etcd
from tests.operate.node import Node

T = TypeVar("T")

ABSENT = (
    None
    if shutil.which("etcd")
    else "The fail-over of a database under Patroni was not tested. To test it: apt-get install etcd-server"
)

_PATIENCE = 180.0
"""Seconds for anything that the cluster does: starting takes 15 to 60 of them, an election 25."""


class PatroniCluster:
    """Complete from the start: a leader, a synchronous and an asynchronous standby. `close` ends all of it."""

    def __init__(self) -> None:
        # PostgreSQL's user must be able to reach the folder: so it is not pytest's own.
        self._folder = Path(tempfile.mkdtemp(prefix="tonnage-operate-"))
        self._folder.chmod(0o711)
        self._password = secrets.token_hex(16)
        self.nodes = [Node(name, self._folder / name) for name in ("a", "b", "c")]
        self.etcd = Etcd(self._folder)
        try:
            for node in self.nodes:
                self.start(node)
            self.await_complete()
            self._create_database()
        except BaseException:
            self.close()
            raise

    def start(self, node: Node) -> None:
        node.start(self.etcd.port, self._password)

    def url(self, first: Node | None = None) -> str:
        """The application's. All servers, `first` named first."""
        nodes = sorted(self.nodes, key=lambda node: node is not first)
        hosts = ",".join(f"127.0.0.1:{node.postgres}" for node in nodes)
        return f"postgresql://tonnage:{self._password}@{hosts}/tonnage?target_session_attrs=read-write"

    def owner_url(self, node: Node) -> str:
        """The superuser's, of one server and its maintenance database."""
        where = {"host": "127.0.0.1", "port": node.postgres, "target_session_attrs": "any"}
        return make_conninfo(self.url(), **where, dbname="postgres", user="postgres", connect_timeout=2)

    def leader(self) -> Node:
        """Waits until there is one: the node whose agent holds the lock and whose server takes writes."""
        return self._await("a leader", lambda: next((node for node in self.nodes if node.ask("/primary")), None))

    def other_leader(self, than: Node) -> Node:
        """Waits until another node leads."""
        others = [node for node in self.nodes if node is not than]
        return self._await("another leader", lambda: next((node for node in others if node.ask("/primary")), None))

    def standbys(self) -> tuple[Node, Node]:
        """The synchronous and the asynchronous one."""
        self.await_complete()
        names = {member["role"]: member["name"] for member in self._members()}
        nodes = {node.name: node for node in self.nodes}
        return nodes[names["sync_standby"]], nodes[names["replica"]]

    def await_complete(self) -> None:
        """Waits until there are a leader and two standbys that receive its changes."""
        self._await("all three nodes", self._complete)

    def _complete(self) -> bool:
        roles = sorted((member["role"], member["state"]) for member in self._members())
        return roles == [("leader", "running"), ("replica", "streaming"), ("sync_standby", "streaming")]

    def _members(self) -> list[dict[str, Any]]:
        for node in self.nodes:
            if answer := node.ask("/cluster"):
                return answer["members"]
        return []

    def _await(self, what: str, found: Callable[[], T | None]) -> T:
        deadline = time.monotonic() + _PATIENCE
        while not (it := found()):
            if time.monotonic() > deadline:
                logs = "\n".join(node.log()[-3000:] for node in self.nodes)
                raise TimeoutError(f"the cluster has not got {what}: {self._members()}\n{logs}")
            time.sleep(0.1)
        return it

    def switch_over(self) -> None:
        """Asks the leader to hand over to the synchronous standby."""
        leader, (standby, _) = self.leader(), self.standbys()
        leader.tell("/switchover", {"leader": leader.name, "candidate": standby.name})

    def close(self) -> None:
        for node in self.nodes:
            node.close()
        self.etcd.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _create_database(self) -> None:
        with psycopg.connect(self.owner_url(self.leader()), autocommit=True) as conn:
            conn.execute(sql.SQL("create role tonnage login password {}").format(self._password))
            conn.execute("create database tonnage owner tonnage")
            conn.execute("create table written (at float)")
