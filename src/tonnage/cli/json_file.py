"""A JSON object in a file that a command is given."""

from typing import Any, BinaryIO, cast

import click

from tonnage.errors import TonnageError
from tonnage.web.body import MAX_BODY, parse


def read_object(file: BinaryIO) -> dict[str, Any]:
    """Its members. Raises click.ClickException: the file has no JSON object, or more than 1 MiB."""
    raw = file.read(MAX_BODY + 1)
    if len(raw) > MAX_BODY:
        raise click.ClickException(f"{file.name} has more than 1 MiB.")
    try:
        found = parse(raw)
    except TonnageError as error:
        raise click.ClickException(f"{file.name} is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise click.ClickException(f"{file.name} must have one JSON object.")
    return cast("dict[str, Any]", found)
