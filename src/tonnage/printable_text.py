"""Texts in one line that people write: reasons and references."""

from tonnage.errors import FieldError, Sentence
from tonnage.names import reordering_character

_LONGEST = 200


def printable_text(field: str, text: str, wrong: list[FieldError]) -> str:
    """A reason or a reference: 1 to 200 characters in one line, without blanks around it. Else an error of the field is
    added to what is `wrong`."""
    found = text.strip()
    if not 0 < len(found) <= _LONGEST or not found.isprintable() or reordering_character(found):
        message = Sentence("must have 1 to {most} characters that can be printed", most=_LONGEST)
        wrong.append(FieldError(field, message))
    return found
