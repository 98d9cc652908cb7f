"""The sections of the start pages: what needs a person today, where it leads, and what can be done about it.

A further section is one more `Section` in SECTIONS.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from tonnage.access.actor import Actor, Kind, Role
from tonnage.attention import capacity_lists, cluster_lists, lists
from tonnage.attention.attention import SHOWN, Attention, AttentionReader, AttentionRow
from tonnage.console.page_request import PageRequest
from tonnage.db import Connection
from tonnage.wording.catalogue import N_

Query: TypeAlias = Callable[[Connection, AttentionReader, int], Awaitable[Attention]]

_OPERATOR, _DISTRIBUTOR, _PARTNER = Kind.OPERATOR, Kind.DISTRIBUTOR, Kind.PARTNER

WHOLE = "/today"
"""Below it each section has a page with all its rows."""


@dataclass(frozen=True)
class RowAction:
    """What can be done about a row: the form or the page that does it."""

    label: str
    path: str
    """With `{id}` and `{organisation}` of the row."""
    role: Role = Role.STAFF


@dataclass(frozen=True)
class Section:
    """Things with one reason. An audience without a path does not have it. Texts are to be translated."""

    name: str
    title: str
    query: Query
    paths: Mapping[Kind, str]
    """Of a row's own page, as in RowAction."""
    actions: Mapping[Kind, RowAction] = field(default_factory=dict[Kind, RowAction])
    lists: Mapping[Kind, str] = field(default_factory=dict[Kind, str])
    """The list that has the same rows; an audience without one gets a page of this section."""
    role: Role = Role.VIEWER
    """The least that sees it."""
    counted: bool = True
    """Whether the number of all rows says something: everything grows or does not."""

    def is_for(self, actor: Actor) -> bool:
        """Whether the actor's start page has it."""
        return actor.kind in self.paths and actor.role.includes(self.role)

    def action_for(self, actor: Actor) -> RowAction | None:
        """What the actor may do about its rows."""
        found = self.actions.get(actor.kind)
        return found if found is not None and actor.role.includes(found.role) else None


@dataclass(frozen=True)
class ShownSection:
    """A section with what was found, for one reader."""

    section: Section
    found: Attention
    actor: Actor

    @property
    def whole(self) -> str:
        """The path of the list with all its rows."""
        return self.section.lists.get(self.actor.kind, f"{WHOLE}/{self.section.name}")

    @property
    def has_list(self) -> bool:
        """Whether that is a list of its own, not the page of the section."""
        return self.actor.kind in self.section.lists

    @property
    def action(self) -> RowAction | None:
        """What can be done about each row."""
        return self.section.action_for(self.actor)

    def path(self, row: AttentionRow) -> str:
        """Of the row's own page."""
        return _filled(self.section.paths[self.actor.kind], row)

    def action_path(self, row: AttentionRow) -> str:
        """Of what can be done about the row; "" if there is nothing."""
        return _filled(self.action.path, row) if self.action else ""


def _filled(path: str, row: AttentionRow) -> str:
    return path.format(id=row.id, organisation=row.organisation_id)


_ACCOUNT = {
    _OPERATOR: "/operator/accounts/{id}",
    _DISTRIBUTOR: "/distributor/partners/{organisation}/accounts/{id}",
    _PARTNER: "/partner/accounts/{id}",
}
_OWN_ACCOUNT = {_PARTNER: _ACCOUNT[_PARTNER]}
_PARTNERS_BELOW = {kind: f"/{kind}/partners/{{id}}" for kind in (_OPERATOR, _DISTRIBUTOR)}
_PARTNERS = {**_PARTNERS_BELOW, _PARTNER: "/partner/usage"}
_CONTRACTS = {kind: f"/{kind}/contracts/{{id}}" for kind in (_OPERATOR, _DISTRIBUTOR)}
_STATEMENT = "/statements/{id}"
_REGION = {_OPERATOR: "/operator/regions#region-{id}"}
_REGIONS = {_OPERATOR: "/operator/regions"}

# The operator cannot change what a distributor sells: there it is a matter of calling its people.
_RESIZE_PARTNER = {
    _OPERATOR: RowAction(N_("Whom to call"), "/operator/members/{id}", Role.VIEWER),
    _DISTRIBUTOR: RowAction(N_("Change allocation"), "/distributor/partners/{id}/allocation"),
    _PARTNER: RowAction(N_("Largest accounts"), "/partner/accounts?sort=used", Role.VIEWER),
}
_CALL_ITS_OWNER = RowAction(N_("Whom to call"), "/operator/members/{organisation}", Role.VIEWER)
_LOOK_INTO_CONTRACT = {
    _OPERATOR: _CALL_ITS_OWNER,
    _DISTRIBUTOR: RowAction(N_("Largest partners"), "/distributor/partners?contract={id}&sort=used", Role.VIEWER),
}
_LOOK_INTO_REGION = {_OPERATOR: RowAction(N_("See region"), _REGION[_OPERATOR], Role.VIEWER)}
_PAY = RowAction(N_("See statement"), _STATEMENT, Role.VIEWER)
_RESIZE_ACCOUNT = {_PARTNER: RowAction(N_("Resize"), "/partner/accounts/{id}/settings")}

SECTIONS = (
    Section(
        "clusters",
        N_("Storage clusters in trouble"),
        cluster_lists.troubles,
        _REGION,
        _LOOK_INTO_REGION,
        _REGIONS,
    ),
    Section(
        "rejected",
        N_("Refused by the storage cluster"),
        cluster_lists.rejections,
        {_OPERATOR: _ACCOUNT[_OPERATOR]},
        {_OPERATOR: RowAction(N_("Partner"), "/operator/partners/{organisation}", Role.VIEWER)},
    ),
    Section(
        "over",
        N_("Over the allocation"),
        capacity_lists.partners_over,
        _PARTNERS,
        _RESIZE_PARTNER,
        {kind: f"/{kind}/partners?show=over&sort=load" for kind in _PARTNERS_BELOW},
    ),
    Section(
        "contracts-over",
        N_("Contracts over what they reserve"),
        capacity_lists.contracts_over,
        _CONTRACTS,
        _LOOK_INTO_CONTRACT,
    ),
    Section(
        "accounts-over",
        N_("Storage accounts over their allocation"),
        capacity_lists.accounts_over,
        _OWN_ACCOUNT,
        _RESIZE_ACCOUNT,
        {_PARTNER: "/partner/accounts?show=over&sort=load"},
    ),
    Section(
        "sold",
        N_("Unpaid by your customers"),
        lists.statements_sold,
        dict.fromkeys(Kind, _STATEMENT),
        dict.fromkeys(Kind, RowAction(N_("Record payment"), "/statements/{id}/payment", Role.ADMIN)),
    ),
    Section(
        "bought",
        N_("To be paid by you"),
        lists.statements_bought,
        dict.fromkeys((_DISTRIBUTOR, _PARTNER), _STATEMENT),
        dict.fromkeys((_DISTRIBUTOR, _PARTNER), _PAY),
    ),
    Section(
        "deletions",
        N_("Waiting for deletion"),
        lists.deletions,
        _ACCOUNT,
        {
            _OPERATOR: _CALL_ITS_OWNER,
            **{kind: RowAction(N_("Restore"), _ACCOUNT[kind] + "/restore") for kind in (_DISTRIBUTOR, _PARTNER)},
        },
        {kind: f"/{kind}/accounts?show=deletion&sort=deletion" for kind in (_OPERATOR, _PARTNER)},
    ),
    Section(
        "keys",
        N_("API keys about to expire"),
        lists.keys,
        dict.fromkeys(Kind, "/keys"),
        dict.fromkeys(Kind, RowAction(N_("Create a successor"), "/keys/new", Role.ADMIN)),
        role=Role.ADMIN,
    ),
    Section(
        "webhooks",
        N_("Webhooks that receive nothing"),
        lists.webhooks,
        dict.fromkeys(Kind, "/webhooks/{id}"),
        dict.fromkeys(Kind, RowAction(N_("See the log"), "/webhooks/{id}", Role.ADMIN)),
        role=Role.ADMIN,
    ),
    Section(
        "drift",
        N_("Differences to decide"),
        cluster_lists.drifts,
        _REGION,
        _LOOK_INTO_REGION,
        _REGIONS,
    ),
    Section(
        "full-soon",
        N_("About to be full, by the forecast"),
        capacity_lists.full_soon,
        {
            _OPERATOR: _CONTRACTS[_OPERATOR],
            _DISTRIBUTOR: _PARTNERS[_DISTRIBUTOR],
            _PARTNER: _ACCOUNT[_PARTNER],
        },
        {
            _OPERATOR: _CALL_ITS_OWNER,
            _DISTRIBUTOR: _RESIZE_PARTNER[_DISTRIBUTOR],
            _PARTNER: _RESIZE_ACCOUNT[_PARTNER],
        },
    ),
    Section(
        "alerts",
        N_("Near the allocation: levels reached in the last 3 days"),
        capacity_lists.partner_alerts,
        _PARTNERS,
        _RESIZE_PARTNER,
    ),
    Section(
        "contract-alerts",
        N_("Contracts near what they reserve: levels reached in the last 3 days"),
        capacity_lists.contract_alerts,
        _CONTRACTS,
        _LOOK_INTO_CONTRACT,
    ),
    Section(
        "account-alerts",
        N_("Storage accounts near their allocation: levels reached in the last 3 days"),
        capacity_lists.account_alerts,
        _OWN_ACCOUNT,
        _RESIZE_ACCOUNT,
    ),
    Section(
        "growing",
        N_("Growing fastest"),
        capacity_lists.growing_partners,
        _PARTNERS_BELOW,
        _RESIZE_PARTNER,
        {kind: f"/{kind}/movers" for kind in _PARTNERS_BELOW},
        counted=False,
    ),
    Section(
        "accounts-growing",
        N_("Growing fastest"),
        capacity_lists.growing_accounts,
        _OWN_ACCOUNT,
        _RESIZE_ACCOUNT,
        counted=False,
    ),
)
"""In the order of the page: what is broken and what costs money first."""


def sections_for(actor: Actor) -> list[Section]:
    """Those of the actor's start page."""
    return [section for section in SECTIONS if section.is_for(actor)]


def attention_reader(page: PageRequest) -> AttentionReader:
    """Who looks at the page."""
    return AttentionReader(page.actor.organisation_id, page.actor.kind, page.business_now, page.wall_now)


async def read_sections(
    conn: Connection, page: PageRequest, known: Mapping[str, Attention] | None = None
) -> list[ShownSection]:
    """All that the reader's start page has, those without rows too. `known`: what the page has read already, by
    name."""
    reader, actor, before = attention_reader(page), page.actor, known or {}
    return [
        ShownSection(one, before.get(one.name) or await one.query(conn, reader, SHOWN), actor)
        for one in sections_for(actor)
    ]
