"""What the record calls the things that were done, in words; an action that is not here is shown by its name."""

from collections.abc import Mapping
from typing import NamedTuple

from tonnage.access.actor import Kind
from tonnage.console.wording.catalogue import N_


class AuditSubject(NamedTuple):
    """The actions about one kind of thing; `label` is to be translated."""

    name: str
    label: str
    kinds: frozenset[Kind]
    """Whose record can have them."""


_ALL = frozenset(Kind)
_SELLERS = frozenset({Kind.OPERATOR, Kind.DISTRIBUTOR})
_OPERATOR = frozenset({Kind.OPERATOR})

SUBJECTS = (
    AuditSubject("distributor", N_("Distributors"), _OPERATOR),
    AuditSubject("contract", N_("Contracts"), _SELLERS),
    AuditSubject("partner", N_("Partners"), _SELLERS),
    AuditSubject("account", N_("Storage accounts"), _ALL),
    AuditSubject("member", N_("Members"), _ALL),
    AuditSubject("organisation", N_("Organisation"), _ALL),
    AuditSubject("key", N_("API keys"), _ALL),
    AuditSubject("region", N_("Regions"), _OPERATOR),
    AuditSubject("job", N_("Jobs"), _OPERATOR),
    AuditSubject("usage", N_("Usage"), _OPERATOR),
)

ACTION_LABELS: Mapping[str, str] = {
    "distributor.create": N_("Created distributor"),
    "contract.create": N_("Signed contract"),
    "contract.amend": N_("Amended contract"),
    "partner.create": N_("Created partner"),
    "partner.update": N_("Changed partner"),
    "partner.move": N_("Moved partner to another contract"),
    "partner.close": N_("Deleted partner"),
    "account.create": N_("Created storage account"),
    "account.update": N_("Changed storage account"),
    "account.set-password": N_("Set storage account password"),
    "account.create-key": N_("Created access key"),
    "account.delete-key": N_("Deleted access key"),
    "account.lose-key": N_("Found access key missing from the storage cluster"),
    "account.suspend": N_("Suspended storage account"),
    "account.resume": N_("Resumed storage account"),
    "account.delete": N_("Scheduled storage account deletion"),
    "account.restore": N_("Restored storage account"),
    "account.purge": N_("Permanently deleted storage account"),
    "member.create": N_("Added member"),
    "member.update": N_("Changed member"),
    "member.delete": N_("Removed member"),
    "member.set-password": N_("Set member password"),
    "member.add-second-factor": N_("Set up two-factor authentication"),
    "member.remove-second-factor": N_("Removed two-factor authentication"),
    "member.reset-second-factor": N_("Reset two-factor authentication"),
    "member.renew-recovery-codes": N_("Created recovery codes"),
    "member.use-recovery-code": N_("Used recovery code"),
    "member.blocked": N_("Blocked sign-in after too many failed attempts"),
    "organisation.require-second-factor": N_("Changed two-factor authentication requirement"),
    "key.create": N_("Created API key"),
    "key.revoke": N_("Revoked API key"),
    "region.create": N_("Added region"),
    "region.connect": N_("Connected region to its storage cluster"),
    "region.default": N_("Made region the default"),
    "region.delete": N_("Removed region"),
    "region.reconcile": N_("Compared storage cluster with the database"),
    "job.retry": N_("Retried job"),
    "usage.import": N_("Imported usage"),
}


def choices(kind: Kind) -> list[tuple[AuditSubject, list[tuple[str, str]]]]:
    """The actions that a record of that kind of organisation can have, by noun: [(name, text)]."""
    return [
        (noun, [(name, text) for name, text in ACTION_LABELS.items() if name.startswith(f"{noun.name}.")])
        for noun in SUBJECTS
        if kind in noun.kinds
    ]
