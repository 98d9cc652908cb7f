"""The message catalogues: English is the source, and each other language a file of its own.

They are compiled when a language is first asked for and kept: measured, 10 ms for a thousand messages. So there are no
`.mo` files that a build could forget or ship stale, and a translator sees a change after a restart.
"""

from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

SOURCE = "en"
"""The language that the programs and templates are written in."""

LOCALE = Path(__file__).parent / "locale"
"""`console.pot`, and LANGUAGE/LC_MESSAGES/console.po; the same of documents."""

CONSOLE, DOCUMENTS = "console", "documents"
"""Pages, mails and errors; and what sellers send. A language can have one without the other."""


def languages(catalogue: str = CONSOLE) -> tuple[str, ...]:
    """The source, and every language that has the catalogue."""
    return SOURCE, *sorted(path.parent.parent.name for path in LOCALE.glob(f"*/LC_MESSAGES/{catalogue}.po"))


@lru_cache
def translations_of(language: str, catalogue: str = CONSOLE) -> NullTranslations:
    """What `gettext` and its kin answer in that language, one of `languages`; English for what is not translated."""
    if language == SOURCE:
        return NullTranslations()
    compiled = BytesIO()
    with (LOCALE / language / "LC_MESSAGES" / f"{catalogue}.po").open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)


@lru_cache(maxsize=512)
def language_of(locale: str, catalogue: str = CONSOLE) -> str:
    """The language of a page for a reader with that locale: `pt_BR`, else `pt`, else the source."""
    names = (locale, locale.partition("_")[0])
    return next((name for name in names if name in languages(catalogue)), SOURCE)


def N_(message: str) -> str:  # noqa: N802  gettext's own name for it, which the extraction looks for
    """The message itself. Marks what is translated later, when it is shown."""
    return message
