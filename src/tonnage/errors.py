"""The closed list of errors for callers. Each interface renders them in its own form; no other exception is expected
there. Every one has a code of the closed list in `error_codes`: programs compare it, since sentences may change.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tonnage.error_codes import Code, ConflictCode, RequestCode, UnavailableCode


class Sentence(str):
    """English text that keeps its template and values, so that it can be rendered in another language and locale.

    `Sentence("must be {most} or less", most=9)` is the text "must be 9 or less". Only the template is ever parsed for
    braces, and without values not even that: data cannot be mistaken for a template. Sizes must be `units.Size`,
    numbers that are identifiers must be texts, and a time is written as RFC 3339 in UTC.
    """

    template: str
    values: dict[str, object]

    def __new__(cls, template: str, /, **values: object) -> "Sentence":
        """The template is what the catalogues translate."""
        plain = {name: _plain(value) for name, value in values.items()}
        made = super().__new__(cls, template.format_map(plain) if values else template)
        made.template, made.values = template, values
        return made

    @property
    def numbers(self) -> dict[str, int]:
        """Its countable values, sizes in bytes."""
        counted = {name: value.count if isinstance(value, Count) else value for name, value in self.values.items()}
        return {
            name: int(value) for name, value in counted.items() if type(value) is not bool and isinstance(value, int)
        }


@dataclass(frozen=True)
class Count:
    """A countable value of a sentence, as in `{count} keys`, and its singular."""

    one: str
    many: str
    count: int

    def __str__(self) -> str:
        return (self.one if self.count == 1 else self.many).format(count=self.count)


@dataclass(frozen=True)
class FieldError:
    """A field of the input that breaks a rule. A message that is a Sentence can be translated with its values."""

    field: str
    message: str


class TonnageError(Exception):
    """A domain error. `str(error)` is one English sentence: what is wrong and what to do. See `Sentence` for the
    values. The code follows the sentence, where the class has not one that suits nearly all.
    """

    def __init__(self, message: str, /, code: Code, **values: object) -> None:
        self.sentence = message if isinstance(message, Sentence) else Sentence(message, **values)
        self.code: Code = code
        super().__init__(self.sentence)


class Malformed(TonnageError):
    """The input cannot be parsed: broken JSON, a malformed id or date in a path or query."""

    def __init__(
        self,
        message: str,
        /,
        code: RequestCode = RequestCode.MALFORMED_PARAMETER,
        fields: tuple[FieldError, ...] = (),
        **values: object,
    ) -> None:
        super().__init__(message, code, **values)
        self.fields = fields


class Invalid(TonnageError):
    """The input was parsed, and a field of it breaks a rule."""

    def __init__(
        self,
        message: str,
        /,
        fields: tuple[FieldError, ...] = (),
        code: RequestCode = RequestCode.VALIDATION_FAILED,
        **values: object,
    ) -> None:
        super().__init__(message, code, **values)
        self.fields = fields

    @classmethod
    def with_fields(cls, fields: Sequence[FieldError], code: RequestCode = RequestCode.VALIDATION_FAILED) -> "Invalid":
        """All wrong fields at once; their messages are also the error's."""
        return cls(about(*fields), tuple(fields), code)

    @classmethod
    def field(cls, field: str, message: str, /, **values: object) -> "Invalid":
        """The common case: one field, whose message is also the error's."""
        wrong = FieldError(field, message if isinstance(message, Sentence) else Sentence(message, **values))
        return cls(about(wrong), (wrong,))


class Unauthenticated(TonnageError):
    """The caller is not authenticated."""

    def __init__(self, message: str, /, code: RequestCode, **values: object) -> None:
        super().__init__(message, code, **values)


class Forbidden(TonnageError):
    """The caller is authenticated but lacks the permission."""

    def __init__(self, message: str, /, code: RequestCode, **values: object) -> None:
        super().__init__(message, code, **values)


class ReauthenticationRequired(Forbidden):
    """The member must first prove again who it is. Only sessions can meet this, and pages ask for the proof.

    `refusal`: why the last proof was refused.
    """

    def __init__(self, refusal: TonnageError | None = None) -> None:
        super().__init__("Confirm that it is you, then repeat the change.", RequestCode.REAUTHENTICATION_REQUIRED)
        self.refusal = refusal


class NotFound(TonnageError):
    """There is no such thing, or it is out of the caller's scope: the caller cannot distinguish the two."""

    def __init__(self, message: str, /, **values: object) -> None:
        super().__init__(message, RequestCode.NOT_FOUND, **values)


class Conflict(TonnageError):
    """The present state forbids the action. The message contains the numbers.

    `field` is the input field that it is about, if another field could be meant as well.
    """

    def __init__(self, message: str, /, code: ConflictCode, field: str = "", **values: object) -> None:
        super().__init__(message, code, **values)
        self.field = field


_EDIT_CONFLICT = Sentence(
    "Not saved: this was changed while you were editing it. Your entries are kept. Check the marked fields, "
    "then submit again to overwrite the current values."
)


class EditConflict(Conflict):
    """Another actor has changed the same fields since they were read, so nothing was changed."""

    def __init__(self) -> None:
        super().__init__(_EDIT_CONFLICT, ConflictCode.CHANGED_MEANWHILE)


class InProgress(Conflict):
    """The same request is being handled already; its response is available after `retry_after` seconds at the
    earliest.
    """

    def __init__(self, message: str, /, retry_after: int) -> None:
        super().__init__(message, ConflictCode.IDEMPOTENCY_IN_PROGRESS)
        self.retry_after = retry_after


_CHANGED_SINCE = Sentence(
    "Not changed: somebody has changed it since the revision in your If-Match header. Its present state is in "
    "`current`. Decide whether your change still applies, then send it with the new ETag."
)


class PreconditionFailed(TonnageError):
    """The thing is not in the revision that the caller expects. `current`: its present state as JSON."""

    def __init__(self, current: bytes, revision: int) -> None:
        super().__init__(_CHANGED_SINCE, RequestCode.PRECONDITION_FAILED)
        self.current = current
        self.revision = revision


class Gone(TonnageError):
    """What was there is not kept any more."""

    def __init__(self, message: str, /, **values: object) -> None:
        super().__init__(message, RequestCode.EVENTS_EXPIRED, **values)


class Throttled(TonnageError):
    """Too many failures; attempts are refused for `retry_after` seconds."""

    def __init__(self, message: str, /, retry_after: int, **values: object) -> None:
        super().__init__(message, RequestCode.TOO_MANY_ATTEMPTS, **values)
        self.retry_after = retry_after


class Unavailable(TonnageError):
    """The database or the cluster cannot be reached now; a later retry may succeed."""

    def __init__(self, message: str, /, code: UnavailableCode, **values: object) -> None:
        super().__init__(message, code, **values)


class Busy(Unavailable):
    """The caller already uses its share of something that is limited; a retry after `retry_after` seconds may
    succeed.
    """

    def __init__(self, message: str, /, retry_after: int, **values: object) -> None:
        super().__init__(message, UnavailableCode.BUSY, **values)
        self.retry_after = retry_after


def about(*wrong: FieldError) -> str:
    """The message of an error about these fields; a Sentence of one alone."""
    said = [Sentence("{field}: {message}", field=one.field, message=one.message) for one in wrong]
    return said[0] if len(said) == 1 else "; ".join(said)


def _plain(value: object) -> object:
    return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if isinstance(value, datetime) else value
