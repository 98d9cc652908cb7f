"""The log of the commands that run for long: plain lines on standard error, times in UTC."""

import logging
import re
import time

import click

from tonnage.authentication.mails import NEW_PASSWORD
from tonnage.devices.device import OPEN_LINK

log_level = click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="How much to log to standard error.",
)
"""Gives a command the option `--log-level`."""

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


def configure(level: str) -> None:
    """From now on, records of `level` and above are written."""
    formatter = logging.Formatter("%(asctime)s.%(msecs)03dZ %(levelname)-7s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
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
