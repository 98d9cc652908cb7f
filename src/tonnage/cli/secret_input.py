"""Secrets from a person or a pipe; never from arguments, which every user of the machine can read."""

import sys

import click


def read_secret(prompt: str) -> str:
    """Asks twice, unseen, at a terminal; else takes the first line of standard input. None is click.UsageError."""
    if sys.stdin.isatty():
        return click.prompt(prompt, hide_input=True, confirmation_prompt=True, err=True)
    secret = sys.stdin.readline().rstrip("\r\n")
    if not secret:
        raise click.UsageError(f"{prompt}: pipe it in, or run this command in a terminal to be asked for it.")
    return secret
