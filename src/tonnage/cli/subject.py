"""Whom prices and statements are about: a contract, a partner or a storage account."""

import functools
from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

import click

from tonnage.accounts.actions import account_number
from tonnage.cli.param_types import UUID as UUID_TYPE
from tonnage.price_books.assignment import Subject, SubjectKind

T = TypeVar("T")


def on_subject(command: Callable[..., T]) -> Callable[..., T]:
    """Gives a command `--contract`, `--partner` and `--account`, of which it takes one, as its argument `subject`."""

    @functools.wraps(command)
    def with_subject(
        *args: Any, contract_id: UUID | None, partner_id: UUID | None, account: str | None, **kwargs: Any
    ) -> T:
        number = None if account is None else account_number(account)
        ids: dict[SubjectKind, UUID | int | None] = {
            SubjectKind.CONTRACT: contract_id,
            SubjectKind.PARTNER: partner_id,
            SubjectKind.ACCOUNT: number,
        }
        given = [Subject(kind, one) for kind, one in ids.items() if one is not None]
        if len(given) != 1:
            raise click.UsageError("Give one of --contract, --partner and --account.")
        return command(*args, subject=given[0], **kwargs)

    contract = click.option("--contract", "contract_id", type=UUID_TYPE, help="A contract, which its distributor pays.")
    partner = click.option("--partner", "partner_id", type=UUID_TYPE, help="A partner, which pays its distributor.")
    account = click.option("--account", help="A storage account, whose customer pays its partner.")
    return contract(partner(account(with_subject)))
