"""The log of the commands that run for long, on standard error: plain lines, or JSON objects; times in UTC.

An entry is one line of JSON, or a line of text and indented ones: nobody can forge entries by what a message contains.
"""

import json
import logging
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from tonnage.authentication.mails import NEW_PASSWORD
from tonnage.current_request import current_request
from tonnage.devices.device import OPEN_LINK

C = TypeVar("C", bound=Callable[..., Any])

_LEVEL = click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="How much to log to standard error.",
)
_FORMAT = click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    envvar="TONNAGE_LOG_FORMAT",
    show_default=True,
    show_envvar=True,
    help="How to log: plain lines, or a JSON object a line.",
)


def log_options(command: C) -> C:
    """Gives a command the options `--log-level` and `--log-format`."""
    return _LEVEL(_FORMAT(command))


_CHATTY = {
    "alembic": logging.WARNING,
    "uvicorn.error": logging.WARNING,
    "httpx": logging.WARNING,  # its lines have the whole URL, e-mail addresses and key ids in it
    "procrastinate": logging.WARNING,
    # A page of traceback whenever the database restarts; failed jobs are logged by its parent.
    "procrastinate.worker.worker": logging.CRITICAL,
    "procrastinate.utils": logging.CRITICAL,
}
"""Loggers that write more at `info` than an operator can use, and the level from which their records are kept."""

_MAILED_TOKEN = re.compile(f"((?:{re.escape(NEW_PASSWORD)}|{re.escape(OPEN_LINK)})/)[^/? ]+")


_FACTS = {"organisation": "organisation_id", "member": "member_id", "key": "key_id"}
"""Names of what a line about security says: see security_events/security_log.py."""


class TextFormatter(logging.Formatter):
    """A line, and indented ones for what follows."""

    converter = time.gmtime

    def __init__(self) -> None:
        super().__init__("%(asctime)s.%(msecs)03dZ %(levelname)-7s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        """The lines, without what a terminal would interpret."""
        return "\n    ".join(_escaped(line) for line in super().format(record).split("\n"))


class JsonFormatter(logging.Formatter):
    """A JSON object in ASCII; its fields are in the operator guide."""

    converter = time.gmtime

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line: dict[str, object] = {
            "time": f"{self.formatTime(record, '%Y-%m-%dT%H:%M:%S')}.{record.msecs:03.0f}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if current := current_request.get():
            line |= {"request_id": current.id, "client": current.address}
        facts: Mapping[str, object] | None = getattr(record, "facts", None)
        if facts is not None:
            line["event"] = getattr(record, "event", None)
            line |= {_FACTS.get(name, name): value for name, value in facts.items()}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


def _escaped(line: str) -> str:
    if line.isprintable():
        return line
    return "".join(one if one.isprintable() or one == "\t" else one.encode("unicode_escape").decode() for one in line)


def configure(level: str, log_format: str) -> None:
    """From now on, records of `level` and above are written."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    logging.captureWarnings(True)
    logging.basicConfig(level=level.upper(), handlers=[handler])
    logging.getLogger("uvicorn.access").addFilter(hide_tokens)
    if level == "info":
        for name, threshold in _CHATTY.items():
            logging.getLogger(name).setLevel(threshold)


def hide_tokens(record: logging.LogRecord) -> bool:
    """A filter: a reader of the log of requests cannot use the links of mails."""
    if isinstance(record.args, tuple):
        record.args = tuple(_MAILED_TOKEN.sub(r"\1...", arg) if isinstance(arg, str) else arg for arg in record.args)
    return True
