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
    "distributor.create": N_("Created the distributor"),
    "contract.create": N_("Signed the contract"),
    "contract.amend": N_("Amended the contract"),
    "partner.create": N_("Created the partner"),
    "partner.update": N_("Changed the partner"),
    "partner.move": N_("Moved the partner to another contract"),
    "partner.close": N_("Deleted the partner"),
    "account.create": N_("Created the storage account"),
    "account.update": N_("Changed the storage account"),
    "account.set-password": N_("Set the storage account's password"),
    "account.create-key": N_("Made an access key"),
    "account.delete-key": N_("Deleted an access key"),
    "account.lose-key": N_("Found an access key gone from the cluster"),
    "account.suspend": N_("Suspended the storage account"),
    "account.resume": N_("Resumed the storage account"),
    "account.delete": N_("Scheduled the storage account's deletion"),
    "account.restore": N_("Restored the storage account"),
    "account.purge": N_("Deleted the storage account for good"),
    "member.create": N_("Added the member"),
    "member.update": N_("Changed the member"),
    "member.delete": N_("Removed the member"),
    "member.set-password": N_("Set the member's password"),
    "member.add-second-factor": N_("Set up a second factor"),
    "member.remove-second-factor": N_("Removed a second factor"),
    "member.reset-second-factor": N_("Reset the member's second factor"),
    "member.renew-recovery-codes": N_("Made new recovery codes"),
    "member.use-recovery-code": N_("Used a recovery code"),
    "member.blocked": N_("Blocked sign-in after too many failures"),
    "organisation.require-second-factor": N_("Changed whether a second factor is required"),
    "key.create": N_("Made the API key"),
    "key.revoke": N_("Revoked the API key"),
    "region.create": N_("Added the region"),
    "region.connect": N_("Connected the region to its cluster"),
    "region.default": N_("Made the region the default"),
    "region.delete": N_("Deleted the region"),
    "region.reconcile": N_("Compared the region's cluster with the database"),
    "job.retry": N_("Retried the job"),
    "usage.import": N_("Imported usage"),
}


def choices(kind: Kind) -> list[tuple[AuditSubject, list[tuple[str, str]]]]:
    """The actions that a record of that kind of organisation can have, by noun: [(name, text)]."""
    return [
        (noun, [(name, text) for name, text in ACTION_LABELS.items() if name.startswith(f"{noun.name}.")])
        for noun in SUBJECTS
        if kind in noun.kinds
    ]
