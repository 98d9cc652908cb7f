"""Where pages of storage accounts are, and for whom: those of a partner's accounts, and of one of them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias
from uuid import UUID

from starlette.responses import Response

from tonnage.access.actor import Kind, Role
from tonnage.accounts.account_queries import AccountDetail, account_detail
from tonnage.accounts.actions import no_account
from tonnage.console.page_request import PageRequest
from tonnage.db import Connection

Crumbs: TypeAlias = list[tuple[str, str]]
"""Labels and paths."""


@dataclass(frozen=True)
class AccountsScope:
    """The storage accounts of one partner, in a part of the console."""

    page: PageRequest
    partner_id: UUID
    path: str
    """Of their list, without a slash at its end."""
    crumbs: Callable[[str], Crumbs]
    """Down to the list, by the partner's name."""

    @property
    def is_own(self) -> bool:
        """Whether the partner itself looks at them."""
        return self.page.actor.kind is Kind.PARTNER

    @property
    def may_change(self) -> bool:
        """Whether the reader may create and change accounts. A suspended partner may not."""
        return self.page.actor.role.includes(Role.STAFF) and self.page.actor.suspension_reason is None


@dataclass(frozen=True)
class AccountContext:
    """One storage account of an `AccountsScope`."""

    accounts_scope: AccountsScope
    account_id: int

    @property
    def page(self) -> PageRequest:
        """The request."""
        return self.accounts_scope.page

    @property
    def scope(self) -> UUID:
        """The organisation that asks; the operator, who sees everything, in the place of the partner."""
        actor = self.page.actor
        return self.partner_id if actor.kind is Kind.OPERATOR else actor.organisation_id

    @property
    def partner_id(self) -> UUID:
        """Whose account it is."""
        return self.accounts_scope.partner_id

    @property
    def path(self) -> str:
        """Of the account's first page; those of the others begin with it."""
        return f"{self.accounts_scope.path}/{self.account_id}"

    @property
    def is_only_shown(self) -> bool:
        """To the operator: then there are no pages but the first."""
        return self.page.actor.kind is Kind.OPERATOR

    @cached_property
    def may_change(self) -> bool:
        """Whether the reader may do all but delete the account. The operator leaves that to those whose it is."""
        return not self.is_only_shown and self.accounts_scope.may_change

    @cached_property
    def may_delete(self) -> bool:
        """Whether the reader may also delete it."""
        return self.may_change and self.page.actor.role.includes(Role.ADMIN)

    async def found(self, conn: Connection) -> AccountDetail:
        """The account. NotFound: there is none of that number within the scope."""
        account = await account_detail(conn, self.scope, self.partner_id, self.account_id)
        if account is None:
            raise no_account(self.account_id)
        return account

    async def account(self) -> AccountDetail:
        """The same, on a connection of its own."""
        return await self.page.database.run(self.found)

    def crumbs(self, account: AccountDetail) -> Crumbs:
        """Down to the account."""
        return [*self.accounts_scope.crumbs(account.partner), (account.name, self.path)]

    def render(self, template: str, account: AccountDetail, *, status: int = 200, **context: Any) -> Response:
        """A page about the account."""
        return self.page.render(template, status=status, context=self, account=account, **context)
