"""Edit forms: only the fields that the person changed are submitted, and only if nobody else changed them meanwhile.

Optimistic concurrency control, field by field. A form carries its original texts in hidden fields. A field that differs
from its original was changed by the person. Its old and new values go to the action, whose statement compares the old
one under the row's lock (`errors.EditConflict`). After a conflict the form is rebased: untouched fields show the
present values, changed fields keep what was raw, and the present texts become the originals, so that submitting the
form again is a deliberate choice. A revision number could not distinguish another person's rename from another person's
price.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Generic, NamedTuple, TypeAlias, TypeVar

from pydantic import AfterValidator, ValidationError, ValidationInfo, ValidatorFunctionWrapHandler, WrapValidator

from tonnage.errors import EditConflict, Sentence
from tonnage.web.forms import BoundForm, Form, messages, whole_text
from tonnage.web.number_text import WITH_POINT, NumberFormat
from tonnage.web.schemas import Name

PREFIX = "was."
"""The prefix of the hidden fields."""

_ORIGINAL: object = object()
"""The validation context for the original texts."""

WITHOUT_ORIGINAL = Sentence(
    "Not saved: this page is out of date. Check all fields against the current values, then submit again."
)

T = TypeVar("T")
E = TypeVar("E", bound="EditForm")


class EditForm(Form):
    """The fields of a thing that exists.

    A field that is `| None = None` is None if the person did not change it. A field without a default is always sent,
    for forms that say "make it this" rather than "change this".
    """

    names: ClassVar[Mapping[str, str]] = {}
    """The names that actions and the audit log use, for fields that have another name here."""


def _or_empty(text: object, check: ValidatorFunctionWrapHandler) -> Any:
    return text if text == "" else check(text)


CLEARABLE = WrapValidator(_or_empty)
"""For a text that may be removed: then it is ""."""

OptionalName: TypeAlias = Annotated[Name, CLEARABLE]
"""A name, or "" for no name."""


def of_new(rule: Callable[[T], T]) -> AfterValidator:
    """A rule for new values only. An existing value may be older than the rule, such as an abolished time zone."""

    def check(value: T, info: ValidationInfo) -> T:
        return value if info.context is _ORIGINAL else rule(value)

    return AfterValidator(check)


class Meanwhile(NamedTuple):
    """The state of a field after another person's change."""

    field: str
    before: Any
    """The value that the person saw."""
    now: Any
    is_conflict: bool
    """The person changed it as well, to another value."""


@dataclass
class BoundEdit(BoundForm[E], Generic[E]):
    """An edit form as it was submitted. `value` holds the changes."""

    seen: E | None = None
    """All values that the form was made from. None: the form does not contain them."""
    changed: frozenset[str] = field(default_factory=frozenset[str])
    """The fields that go to the action."""
    is_stale: bool = False
    """Another person has changed one of them."""

    async def apply(self, action: Callable[[E, E], Awaitable[T]], *, about: str = "") -> T | None:
        """Returns the result of `action` for the new and the old values of what changes. Otherwise see
        `BoundForm.submit`.
        """
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
        """Rebases a stale form on the present texts. Returns the fields that are not as the person saw them."""
        if self.value is None or self.seen is None:
            return []
        kind, before = type(self.value), self.seen
        original = complete(kind, present)
        now = _read(kind, original)
        touched = {name for field in self.changed for name in (field, f"{field}_unit")}
        kept = {name: text for name, text in self.raw.items() if name in touched}
        self.raw = {**{name: text for name, text in original.items() if name not in touched}, **kept}
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


def bind_edit(kind: type[E], fields: Mapping[str, str], reader: NumberFormat = WITH_POINT) -> BoundEdit[E]:
    """Validates the fields that the person changed, and nothing else. An empty field means removal."""
    original = {name.removeprefix(PREFIX): text for name, text in fields.items() if name.startswith(PREFIX)}
    raw = {name: text for name, text in fields.items() if not name.startswith(PREFIX)}
    form: BoundEdit[E] = BoundEdit(raw, None, original=original)
    try:
        form.seen = seen = _read(kind, original) if kind.model_fields.keys() <= original.keys() else None
    except ValidationError:
        seen = None
    if seen is None:
        form.errors[""] = WITHOUT_ORIGINAL
        return form
    required = {name for name, of in kind.model_fields.items() if of.is_required()}
    texts = {name: _text(name, raw) for name in kind.model_fields}
    sent = {name: text for name, text in texts.items() if (text if name in required else text != _text(name, original))}
    try:
        value = kind.model_validate(sent, context=reader)
    except ValidationError as error:
        form.errors = messages(error)
        return form
    form.changed = frozenset(name for name in sent if name in required or getattr(value, name) != getattr(seen, name))
    form.value = value.model_copy(update=dict.fromkeys(sent.keys() - form.changed))
    return form


def unbound_edit(kind: type[E], original: Mapping[str, str], raw: Mapping[str, str] | None = None) -> BoundEdit[E]:
    """An unbound form of a thing as it is; `raw`: other initial texts of its fields."""
    texts = complete(kind, original)
    return BoundEdit(texts if raw is None else raw, None, original=texts)


def complete(kind: type[EditForm], texts: Mapping[str, str]) -> dict[str, str]:
    """Adds an empty text for each field that has none, such as an unticked checkbox."""
    return {**dict.fromkeys(kind.model_fields, ""), **texts}


def _read(kind: type[E], texts: Mapping[str, str]) -> E:
    return kind.model_validate({name: _text(name, texts) for name in kind.model_fields}, context=_ORIGINAL)


def _text(name: str, texts: Mapping[str, str]) -> str:
    return whole_text(name, texts) if texts.get(name, "").strip() else ""
