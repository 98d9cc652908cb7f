"""Forms of things that exist: only what the person changed is sent on, and only if nobody else changed it meanwhile.

Optimistic concurrency control, field by field. A form carries, hidden, the texts that it was made from. What differs
from them is what the person changed; that, and what it was before, goes to the action, whose statement compares it
under the row's lock (`errors.EditConflict`). Then the form is rebased: fields that were not touched show what is there
now, those that were keep what was typed, and it is made from the present texts, so that submitting it again is
meant. No revision number could tell another person's rename from another person's price.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Generic, NamedTuple, TypeAlias, TypeVar

from pydantic import AfterValidator, ValidationError, ValidationInfo, ValidatorFunctionWrapHandler, WrapValidator

from tonnage.errors import EditConflict, Sentence
from tonnage.web.forms import BoundForm, Form, messages, whole_text
from tonnage.web.schemas import Name

PREFIX = "was."
"""Of the hidden fields."""

_ORIGINAL: object = object()
"""The context in which the texts are checked that a form was made from."""

WITHOUT_ORIGINAL = Sentence(
    "Not saved: this page is out of date. Check all fields against what is there now, then submit again."
)

T = TypeVar("T")
E = TypeVar("E", bound="EditForm")


class EditForm(Form):
    """The fields of a thing that exists.

    A field that is `| None = None` is None where the person left it as it was. One without a default is always sent,
    for forms that say "make it this" rather than "change this".
    """

    names: ClassVar[Mapping[str, str]] = {}
    """What actions and the audit log call the fields that are called otherwise here."""


def _or_empty(text: object, check: ValidatorFunctionWrapHandler) -> Any:
    return text if text == "" else check(text)


CLEARABLE = WrapValidator(_or_empty)
"""For a text that may be removed: then it is ""."""

OptionalName: TypeAlias = Annotated[Name, CLEARABLE]
"""A name, or "" for none."""


def of_new(rule: Callable[[T], T]) -> AfterValidator:
    """A rule for what is typed. What is there already may be older than the rule, as a time zone that has gone."""

    def check(value: T, info: ValidationInfo) -> T:
        return value if info.context is _ORIGINAL else rule(value)

    return AfterValidator(check)


class Meanwhile(NamedTuple):
    """What became of a field since the form was made."""

    field: str
    before: Any
    """As the person saw it."""
    now: Any
    is_conflict: bool
    """The person changed it as well, to something else."""


@dataclass
class BoundEdit(BoundForm[E], Generic[E]):
    """A form of a thing that exists, as somebody has filled it in. `value` holds what changes."""

    seen: E | None = None
    """The values that the form was made from, all of them. None: it does not say."""
    changed: frozenset[str] = field(default_factory=frozenset[str])
    """The fields that go to the action."""
    is_stale: bool = False
    """Somebody else has changed one of them."""

    async def apply(self, action: Callable[[E, E], Awaitable[T]], *, about: str = "") -> T | None:
        """What `action` gives for what changes and for what that was before. For the rest see `Filled.submit`."""
        if self.value is None or self.seen is None:
            return None
        kind, changed = type(self.value), self.changed
        unchanged = [name for name, of in kind.model_fields.items() if name not in changed and not of.is_required()]
        expected = self.seen.model_copy(update=dict.fromkeys(unchanged))

        async def act(value: E) -> T:
            try:
                return await action(value, expected)
            except EditConflict:
                self.is_stale = True
                raise

        return await self.submit(act, about=about, fields={name: field for field, name in kind.names.items()})

    def rebase(self, present: Mapping[str, str]) -> list[Meanwhile]:
        """Makes a stale form one of the present texts, and says what is not as the person saw it."""
        if self.value is None or self.seen is None:
            return []
        kind, before = type(self.value), self.seen
        original = complete(kind, present)
        now = _read(kind, original)
        touched = {name for field in self.changed for name in (field, f"{field}_unit")}
        kept = {name: text for name, text in self.typed.items() if name in touched}
        self.typed = {**{name: text for name, text in original.items() if name not in touched}, **kept}
        self.original, self.seen = original, now
        return [
            Meanwhile(
                name,
                getattr(before, name),
                getattr(now, name),
                name in self.changed and getattr(now, name) != getattr(self.value, name),
            )
            for name in kind.model_fields
            if getattr(before, name) != getattr(now, name)
        ]


def bind_edit(kind: type[E], fields: Mapping[str, str]) -> BoundEdit[E]:
    """Checks what the person changed, and nothing else. What is left empty is to be removed."""
    original = {name.removeprefix(PREFIX): text for name, text in fields.items() if name.startswith(PREFIX)}
    typed = {name: text for name, text in fields.items() if not name.startswith(PREFIX)}
    form: BoundEdit[E] = BoundEdit(typed, None, original=original)
    try:
        form.seen = seen = _read(kind, original) if kind.model_fields.keys() <= original.keys() else None
    except ValidationError:
        seen = None
    if seen is None:
        form.errors[""] = WITHOUT_ORIGINAL
        return form
    required = {name for name, of in kind.model_fields.items() if of.is_required()}
    texts = {name: _text(name, typed) for name in kind.model_fields}
    sent = {name: text for name, text in texts.items() if (text if name in required else text != _text(name, original))}
    try:
        value = kind.model_validate(sent)
    except ValidationError as error:
        form.errors = messages(error)
        return form
    form.changed = frozenset(name for name in sent if name in required or getattr(value, name) != getattr(seen, name))
    form.value = value.model_copy(update=dict.fromkeys(sent.keys() - form.changed))
    return form


def unbound_edit(kind: type[E], original: Mapping[str, str], typed: Mapping[str, str] | None = None) -> BoundEdit[E]:
    """One that nobody has sent yet, of a thing as it is; `typed`: what stands in its fields, if not that."""
    texts = complete(kind, original)
    return BoundEdit(texts if typed is None else typed, None, original=texts)


def complete(kind: type[EditForm], texts: Mapping[str, str]) -> dict[str, str]:
    """With an empty text for each field that has none, such as a box that is not ticked."""
    return {**dict.fromkeys(kind.model_fields, ""), **texts}


def _read(kind: type[E], texts: Mapping[str, str]) -> E:
    return kind.model_validate({name: _text(name, texts) for name in kind.model_fields}, context=_ORIGINAL)


def _text(name: str, texts: Mapping[str, str]) -> str:
    return whole_text(name, texts) if texts.get(name, "").strip() else ""
