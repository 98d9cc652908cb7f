"""Templates: where they are, and what all of them can use: texts, numbers, times, addresses."""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from tonnage.console.navigation import home
from tonnage.console.number_preview import price_preview, size_preview
from tonnage.console.sparkline import load_line, trend_points
from tonnage.errors import TonnageError
from tonnage.money import Money
from tonnage.utc import last_day_before
from tonnage.web import csrf
from tonnage.web.list_state import list_parameters, list_url, page_links, sort_url
from tonnage.web.number_fields import UNITS
from tonnage.web.static_files import StaticFiles
from tonnage.wording.catalogue import translations_of
from tonnage.wording.translate import translate

if TYPE_CHECKING:
    from tonnage.console.page_context import PageContext

_HERE = Path(__file__).parent

static_files = StaticFiles(_HERE / "assets", _HERE / "vendor")
"""Stylesheet, scripts and the chart library."""

_page: ContextVar["PageContext"] = ContextVar("page")
"""Whom the page is drawn for. Filters need it, and macros that are imported see no context."""


def render(template: str, page: "PageContext", context: Mapping[str, object]) -> str:
    """The page as HTML. Draws at once, without waiting for anything."""
    before = _page.set(page)
    try:
        return _environment.get_template(template).render(page=page, **context)
    finally:
        _page.reset(before)


def macro(template: str, name: str) -> Callable[..., str]:
    """A macro that is found by its name, such as the one that draws a column's cells."""
    return getattr(_environment.get_template(template).module, name)


def prepare() -> None:
    """Read what every page is made of: 70 ms that the first visitor of a process would wait for."""
    for template in ("components/ui.html", "components/page.html", "components/outside.html"):
        _environment.get_template(template)


def use_context(page: "PageContext") -> None:
    """What the rest of this request says, in `gettext`, is in that reader's language."""
    _page.set(page)


def gettext(message: str) -> str:
    """In the reader's language; where nobody is known to read, in English."""
    page = _page.get(None)
    return translations_of(page.language).gettext(message) if page else message


def ngettext(singular: str, plural: str, count: int) -> str:
    """The same of a message with a number, which the caller fills in."""
    return translations_of(_page.get().language).ngettext(singular, plural, count)


def _pgettext(context: str, message: str) -> str:
    return translations_of(_page.get().language).pgettext(context, message)


def _npgettext(context: str, singular: str, plural: str, count: int) -> str:
    return translations_of(_page.get().language).npgettext(context, singular, plural, count)


def _exactly(shown: str, exact: str) -> Markup:
    """A value as people read it; exactly on hover and for screen readers."""
    return Markup('<span title="{}">{}</span>').format(exact, shown)


def size(value: int | Decimal | None) -> Markup:
    """Bytes, in the unit that suits them."""
    formats = _page.get().formats
    return escape("–") if value is None else _exactly(formats.size(value), formats.exact_size(value))


def _moment(moment: datetime | None) -> Markup:
    formats = _page.get().formats
    if moment is None:
        return escape("–")
    return Markup('<time datetime="{0}" title="{0} ({1})">{2}</time>').format(
        formats.exact_moment(moment), formats.zone_of(moment), formats.moment(moment)
    )


def _ago(moment: datetime | None, now: datetime) -> Markup:
    formats = _page.get().formats
    if moment is None:
        return escape("–")
    return Markup('<time datetime="{0}" title="{0}">{1}</time>').format(
        formats.exact_moment(moment), formats.ago(moment, now)
    )


def day(value: date | None) -> Markup:
    """Of a moment, the day where the reader lives; days of usage are UTC's, and are days already."""
    formats = _page.get().formats
    if value is None:
        return escape("–")
    if isinstance(value, datetime):
        shown = formats.day(formats.date_of(value))
        return Markup('<time datetime="{0}" title="{0}">{1}</time>').format(formats.exact_moment(value), shown)
    return Markup('<time datetime="{}">{}</time>').format(value.isoformat(), formats.day(value))


def _money(amount: Money) -> Markup:
    formats = _page.get().formats
    return _exactly(formats.money(amount), formats.exact_money(amount))


def number(value: int | Decimal) -> str:
    """A count."""
    return _page.get().formats.number(value)


def percent(fraction: Decimal | float) -> str:
    """A fraction, such as 12.3%."""
    return _page.get().formats.percent(fraction)


def _price(cents: Decimal) -> str:
    return _page.get().formats.price(cents)


def _month(day: date) -> str:
    return _page.get().formats.month(day)


def said(error: TonnageError | str) -> str:
    """What an error or a sentence says, in the reader's language."""
    page = _page.get()
    return translate(error, translations_of(page.language), page.formats)


def _globals() -> dict[str, Any]:
    return {
        "static": static_files.url,
        "load_line": load_line,
        "trend_points": trend_points,
        "size_preview": size_preview,
        "price_preview": price_preview,
        "SIZE_UNITS": UNITS,
        "home": home,
        "CSRF": csrf.FIELD,
        # Macros see no context, but these two change with the reader only.
        "reader": _page.get,
    }


def _made() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
    )
    install: Any = getattr(environment, "install_gettext_callables")  # noqa: B009  an extension's, unknown to types
    install(gettext, ngettext, newstyle=True, pgettext=_pgettext, npgettext=_npgettext)
    filters: dict[str, Callable[..., object]] = {
        "size": size,
        "number": number,
        "percent": percent,
        "price": _price,
        "money": _money,
        "moment": _moment,
        "ago": _ago,
        "day": day,
        "last_day_before": last_day_before,
        "month": _month,
        "said": said,
        "list_url": list_url,
        "list_parameters": list_parameters,
        "page_links": page_links,
        "sort_url": sort_url,
    }
    environment.filters.update(filters)
    environment.globals.update(_globals())
    return environment


_environment = _made()
