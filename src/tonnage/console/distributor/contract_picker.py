"""Contracts to choose from, each with what it has left."""

from collections.abc import Iterable
from uuid import UUID

from tonnage.console.page_context import PageContext
from tonnage.console.rendering import gettext
from tonnage.partners.contract_lists import ContractRow

MANY_PARTNERS = 5000
"""The fees of more are added up after the page rather than before it: 100,000 take a tenth of a second."""


def contract_name(details: str | None) -> str:
    """What it is called; the operator may sign one without a name."""
    return details or gettext("Unnamed contract")


def choices(page: PageContext, contracts: Iterable[ContractRow]) -> list[tuple[UUID, str, int]]:
    """Id, text and remaining bytes, for `ui.select`."""
    sentence = gettext("%(name)s: %(remaining)s of %(reserved)s remaining")
    size = page.formats.size
    return [
        (
            contract.id,
            sentence
            % {
                "name": contract_name(contract.details),
                "remaining": size(contract.remaining),
                "reserved": size(contract.reserved),
            },
            contract.remaining,
        )
        for contract in contracts
    ]
