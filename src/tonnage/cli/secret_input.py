"""Secrets from a person or a pipe; never from arguments, which every user of the machine can read."""

import re
import sys
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
        raise click.UsageError(f"{prompt}: pipe it in, or run this command in a terminal to be asked for it.")
    return secret


def read_key_pair(file: BinaryIO | None, option: str) -> tuple[str, str]:
    """An access key and its secret, from `file`, which `option` names; without one from a person or a pipe.

    Raises click.UsageError unless it is these two and nothing else. The sentence repeats nothing of them.
    """
    if file is None and sys.stdin.isatty():
        # A typing error shows at once, since the cluster is asked; so nothing is asked twice.
        access_key = click.prompt("Access key", err=True)
        pair = f"{access_key} {click.prompt('Secret', hide_input=True, err=True)}".encode()
    else:
        pair = (file or sys.stdin.buffer).read(_MOST).strip()
    if not _PAIR.fullmatch(pair):
        raise click.UsageError(
            "The credentials are an access key on the first line and its secret on the second: pipe them in, name "
            f"their file with {option}, or run this command in a terminal to be asked for them."
        )
    access_key, secret = pair.decode().split()
    return access_key, secret
