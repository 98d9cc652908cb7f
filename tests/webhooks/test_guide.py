"""The receiver of the guide works as it is printed; and the commands."""

import http.client
import json
import re
import threading
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from http.server import HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import Command
from tonnage.webhooks.signature import new_private_key, new_secret, signed_headers

GUIDE = Path(__file__).parents[2] / "docs/webhooks.md"


def test_the_receiver_of_the_guide(capsys: pytest.CaptureFixture[str]) -> None:
    [code] = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    secret = new_secret()
    names: dict[str, Any] = {"__name__": "receiver"}
    exec(re.sub(r'"whsec_[^"]+"', repr(secret), code), names)
    body = b'{"type": "partner.updated", "data": {"revision": 4}}'
    headers = signed_headers("an-id", datetime.now(UTC), body, [secret], new_private_key())
    forged = signed_headers("an-id", datetime.now(UTC), body, [new_secret()], new_private_key())
    with HTTPServer(("127.0.0.1", 0), names["Receiver"]) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        statuses: list[int] = []
        for sent in (headers, forged):
            connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
            connection.request("POST", "/hooks", body, dict(sent))
            statuses.append(connection.getresponse().status)
            connection.close()
        server.shutdown()
        thread.join()
    assert statuses == [204, 400]
    assert capsys.readouterr().out == "partner.updated {'revision': 4}\n"


@pytest.fixture
def own(new_database: Callable[[], AbstractContextManager[str]]) -> Generator[str]:
    """Without secrets of other tests."""
    with new_database() as conninfo:
        yield conninfo


def test_the_commands(own: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TONNAGE_SECRET_KEY_FILE", str(tmp_path / "keys"))
    monkeypatch.setenv("TONNAGE_DATA_DIR", str(tmp_path))
    tonnage = Command(own)
    tonnage.ok("secret", "create")
    whose = ("--organisation", tonnage.distributor())
    refused = tonnage.refused("webhook", "create", "https://10.0.0.1/", *whose)
    assert "leads into a private network" in refused
    made = tonnage.ok("webhook", "create", "https://example.com/hooks", "--type", "key.created", *whose)
    assert json.loads(made)["secretKey"].startswith("whsec_")
    [listed] = tonnage.json("webhook", "list", *whose)
    assert (listed["url"], listed["types"], listed["enabled"]) == ("https://example.com/hooks", ["key.created"], True)
    endpoint = listed["id"]
    tonnage.ok("webhook", "disable", endpoint, *whose)
    assert tonnage.json("webhook", "list", *whose)[0]["disabledReason"] == "by_person"
    tonnage.ok("webhook", "enable", endpoint, *whose)
    assert "disabledReason" not in tonnage.json("webhook", "list", *whose)[0]
    assert json.loads(tonnage.ok("webhook", "test", endpoint, *whose))["type"] == "webhook.test"
    [delivery] = tonnage.json("webhook", "deliveries", endpoint, *whose)
    assert delivery["state"] == "pending"
    tonnage.ok("webhook", "replay", endpoint, "--delivery", str(delivery["id"]), *whose)
    assert "There is no delivery 0" in tonnage.refused("webhook", "replay", endpoint, "--delivery", "0", *whose)
    assert "Give either" in tonnage.misused("webhook", "replay", endpoint, *whose)
    stranger = ("--organisation", tonnage.distributor())
    for command in ("disable", "test", "deliveries"):
        assert f"There is no webhook {endpoint}" in tonnage.refused("webhook", command, endpoint, *stranger)
