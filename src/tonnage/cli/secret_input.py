"""Secrets from a person or a pipe; never from arguments, which every user of the machine can read."""

import os
import re
import stat
import sys
from contextlib import suppress
from typing import BinaryIO

import click

_PAIR = re.compile(rb"[!-~]+\s+[!-~]+")
_MOST = 4096


def read_secret(prompt: str) -> str:
    """Asks twice, unseen, at a terminal; else takes the first line of standard input. None is click.UsageError."""
    if sys.stdin.isatty():
        return click.prompt(prompt, hide_input=True, confirmation_prompt=True, err=True)
    secret = sys.stdin.readline().rstrip("\r\n")
    if not secret:
        raise click.UsageError(f"{prompt}: pipe it in, or run this command in a terminal to be prompted.")
    return secret


def read_key_pair(file: BinaryIO | None, option: str) -> tuple[str, str]:
    """An access key and its secret, from `file`, which `option` names; without one from a person or a pipe.

    Raises click.UsageError unless it is these two and nothing else. The sentence repeats nothing of them.
    """
    if file is not None:
        _warn_if_others_may_read(file)
    if file is None and sys.stdin.isatty():
        # A typing error shows at once, since the cluster is asked; so nothing is asked twice.
        access_key = click.prompt("Access key", err=True)
        pair = f"{access_key} {click.prompt('Secret', hide_input=True, err=True)}".encode()
    else:
        pair = (file or sys.stdin.buffer).read(_MOST + 1)
    # What is longer was not read to its end: more could follow.
    if len(pair) > _MOST or not _PAIR.fullmatch(pair.strip()):
        raise click.UsageError(
            "The credentials must be an access key on the first line and its secret key on the second. Pipe "
            f"them in, name their file with {option}, or run this command in a terminal to be prompted."
        )
    access_key, secret = pair.decode().split()
    return access_key, secret


def _warn_if_others_may_read(file: BinaryIO) -> None:
    with suppress(OSError):  # some streams have no file behind them
        mode = os.fstat(file.fileno()).st_mode
        if stat.S_ISREG(mode) and mode & (stat.S_IRWXG | stat.S_IRWXO):
            click.echo(
                f"Warning: other users can read {file.name}, which contains a secret. Run chmod 600 on it, "
                "or delete it.",
                err=True,
            )
