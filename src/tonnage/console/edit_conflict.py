"""The conflict of a form whose resource was changed by another actor: the values, the actor and the time."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar, cast
from uuid import UUID

from tonnage.access.actor import Role
from tonnage.access.audit import AuditEntry, AuditFilter, AuditPosition
from tonnage.access.lists import audit_entries
from tonnage.console.page_request import PageRequest
from tonnage.console.rendering import gettext
from tonnage.errors import EditConflict, Sentence
from tonnage.units import Size
from tonnage.web.edit_form import BoundEdit, EditForm, Meanwhile, complete
from tonnage.wording.catalogue import N_

E = TypeVar("E", bound=EditForm)

Writers: TypeAlias = Mapping[str, Callable[[Any], object]]
"""By field, how its values are written in a sentence; the others are texts that people values."""

_SEARCHED = 50
"""The newest entries of a thing among which the change is looked for."""


async def explain(
    page: PageRequest,
    kind: type[E],
    form: BoundEdit[E],
    present: Mapping[str, str],
    subject_id: UUID | int,
    writers: Writers | None = None,
    *,
    by: str | None = None,
) -> None:
    """Before a refused form is shown again: `present` are its texts as the thing is now, `by` who else can have changed
    changes that are not in the audit log.
    """
    if form.seen is None:
        form.original = complete(kind, present)
    if not form.is_stale:
        return
    of_thing = AuditFilter(subject_id=str(subject_id))
    newest = await page.database.run(audit_entries, page.actor.scope, of_thing, AuditPosition(), _SEARCHED)
    form.errors = {"": EditConflict()}
    for change in form.rebase(present):
        entry = _latest(newest, kind.names.get(change.field, change.field))
        said = _sentence(page, change, entry, (writers or {}).get(change.field, quoted), by)
        if change.is_conflict:
            form.errors[change.field] = said
        else:
            form.notes[change.field] = said


def size_or_pay_per_use(size: int) -> object:
    """An allocation."""
    return Size(size) if size else gettext("pay-per-use")


def allowed(flag: bool) -> object:
    """An overdraft."""
    return gettext("allowed") if flag else gettext("not allowed")


def role_label(role: Role) -> object:
    """As choices call it."""
    return gettext({Role.ADMIN: N_("Admin"), Role.STAFF: N_("Staff"), Role.VIEWER: N_("Viewer")}[role])


def quoted(text: str) -> object:
    """A text that people typed, such as a name."""
    return gettext("“%(text)s”") % {"text": text} if text else ""


def _latest(newest: Sequence[AuditEntry], name: str) -> AuditEntry | None:
    """The last that has changed what the audit log calls `name`; of a person's name it says that it has changed."""
    return next((one for one in newest if _of(one.before, name) != _of(one.after, name)), None)


def _of(facts: Any, name: str) -> object:
    return cast("dict[str, object]", facts).get(name) if isinstance(facts, dict) else None


def _sentence(
    page: PageRequest, change: Meanwhile, entry: AuditEntry | None, write: Callable[[Any], object], by: str | None
) -> Sentence:
    values = {"before": write(change.before) or "–", "now": write(change.now) or "–"}
    if entry is not None:
        return Sentence(
            "Now {now}. Changed from {before} by {who}, {when}.", who=actor_name(page, entry), when=entry.at, **values
        )
    if by is not None:
        return Sentence("Now {now}. Changed from {before} by {who}.", who=by, **values)
    return Sentence("Now {now}. Changed from {before} while you were editing.", **values)


def actor_name(page: PageRequest, entry: AuditEntry) -> str:
    """Who did it, as far as the reader may know."""
    if entry.actor_kind == "cli":
        return gettext("the operator on the command line")
    if entry.actor_kind == "job":
        return gettext("Tonnage itself")
    if entry.actor_id == page.visitor.member_id:
        return gettext("you in another window")
    if entry.actor_name is None:
        return entry.actor_organisation or gettext("a former member")
    name = entry.actor_name
    if entry.actor_kind == "key":
        name = gettext("the API key %(name)s") % {"name": name}
    if entry.actor_organisation in {None, page.visitor.organisation_name}:
        return name
    return gettext("%(name)s of %(organisation)s") % {"name": name, "organisation": entry.actor_organisation}
