"""What is written to the log."""

import json
import logging
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from tests.cli.running import started
from tonnage.cli.logs import JsonFormatter, TextFormatter, log_options
from tonnage.current_request import CurrentRequest, current_request

FORGED = "x\n2026-03-01T00:00:00.000Z INFO    tonnage.security: member.sign-in member=forged\r\x1b[2K\x85\u2028\x00"


def record(message: str, *args: object, **more: object) -> logging.LogRecord:
    made = logging.LogRecord("tonnage.some", logging.WARNING, "", 0, message, args, None)
    made.created, made.msecs = 1_772_323_200.0, 7.0
    vars(made).update(more)
    return made


def crash() -> logging.LogRecord:
    return record("crashed", exc_info=(ValueError, ValueError(FORGED), None))


@pytest.mark.parametrize("entry", [record("%s", FORGED), record(FORGED), crash()])
def test_no_text_forges_an_entry(entry: logging.LogRecord) -> None:
    first, *others = TextFormatter().format(entry).split("\n")
    assert first.startswith("2026-03-01T00:00:00.007Z WARNING tonnage.some: ")
    assert others
    assert all(line.startswith("    ") for line in others)
    assert all(line.isprintable() for line in (first, *others))
    entry.exc_text = None
    line = JsonFormatter().format(entry)
    assert line.isprintable()
    assert line.isascii()
    read = json.loads(line)
    assert FORGED in read.get("exception", read["message"])
    assert "event" not in read


def test_a_json_line_says_whose_request_it_is_and_which_event() -> None:
    facts = {"organisation": "o", "member": "m", "code": "role_too_low", "count": 1}
    token = current_request.set(CurrentRequest("req-1", lambda: "2001:db8::7"))
    line = json.loads(JsonFormatter().format(record("member.refuse", event="member.refuse", facts=facts)))
    current_request.reset(token)
    assert line == {
        "time": "2026-03-01T00:00:00.007Z",
        "level": "warning",
        "logger": "tonnage.some",
        "message": "member.refuse",
        "request_id": "req-1",
        "client": "2001:db8::7",
        "event": "member.refuse",
        "organisation_id": "o",
        "member_id": "m",
        "code": "role_too_low",
        "count": 1,
    }


@pytest.mark.parametrize(
    ("arguments", "variable", "wanted"),
    [((), "", "text"), ((), "json", "json"), (("--log-format", "text"), "json", "text")],
)
def test_the_format_is_an_option_and_a_variable(arguments: tuple[str, ...], variable: str, wanted: str) -> None:
    @click.command()
    @log_options
    def show(log_level: str, log_format: str) -> None:
        click.echo(log_format)

    done = CliRunner().invoke(show, arguments, env={"TONNAGE_LOG_FORMAT": variable or None})
    assert done.output.strip() == wanted


def test_the_log_of_requests_has_no_tokens_of_links(
    new_database: Callable[[], AbstractContextManager[str]], tmp_path: Path
) -> None:
    arguments = ("serve", "--access-log", "--no-worker", "--port", "0", "--database-url")
    with new_database() as url, started(*arguments, url, TONNAGE_DATA_DIR=str(tmp_path)) as server:
        page, device = f"{server.origin}/sign-in/new-password", f"{server.origin}/sign-in/device"
        for link in (f"{device}/s3cret", f"{page}/s3cret", f"{page}/s3cret?x=y", f"{page}/s3cret/more"):
            with suppress(urllib.error.HTTPError), urllib.request.urlopen(link, timeout=30):
                pass
        server.wait_for(r'/more HTTP/1\.1" 404')
        log = "".join(server.lines)
        assert "s3cret" not in log
        assert log.count('"GET /sign-in/new-password/...') == 3
        assert log.count('"GET /sign-in/device/...') == 1
