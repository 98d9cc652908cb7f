"""The forms of a page as a browser without scripts would send them."""

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class HtmlForm:
    action: str
    is_post: bool
    hidden: dict[str, str] = field(default_factory=dict[str, str])
    shown: dict[str, str] = field(default_factory=dict[str, str])
    """The fields that are visible, with their present values."""
    names: set[str] = field(default_factory=set[str])
    """Names of the visible fields, including boxes and options that are not selected."""
    errors: dict[str, str] = field(default_factory=dict[str, str])
    """The texts of errors and notes at fields, by their ids."""

    @property
    def fields(self) -> dict[str, str]:
        return {**self.hidden, **self.shown}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[HtmlForm] = []
        self.select = ""
        self.area = ""
        self.said = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(HtmlForm(given.get("action", ""), given.get("method") == "post"))
        if not self.forms:
            return
        form, name = self.forms[-1], given.get("name", "")
        if tag == "input" and given.get("type") == "hidden":
            form.hidden[name] = given["value"]
        elif tag == "input" and name:
            form.names.add(name)
            if given.get("type") in {"checkbox", "radio"}:
                if "checked" in given:
                    form.shown[name] = given.get("value", "on")
            else:
                form.shown[name] = given.get("value", "")
        elif tag == "textarea":
            form.names.add(name)
            form.shown[name] = ""
            self.area = name
        elif tag == "select":
            self.select = name
            form.names.add(name)
        elif tag == "option" and self.select and ("selected" in given or self.select not in form.shown):
            # An option without a value is sent as its text, which comes next.
            form.shown[self.select] = given.get("value", "\0")
        self.said = given.get("id", "") if given.get("id", "").endswith(("-error", "-note")) else ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self.select = ""
        elif tag == "textarea":
            self.area = ""
        self.said = ""

    def handle_data(self, data: str) -> None:
        if not self.forms:
            return
        form = self.forms[-1]
        if self.select and form.shown.get(self.select) == "\0":
            form.shown[self.select] = data
        if self.area:
            # A line break after the tag is not part of the text.
            form.shown[self.area] += data.removeprefix("\n")
        if self.said:
            form.errors[self.said] = form.errors.get(self.said, "") + data


def forms_of(html: str) -> list[HtmlForm]:
    """All forms of a page, in order."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.forms


def form_of(html: str, action: str) -> HtmlForm:
    """The form with that action."""
    (found,) = [form for form in forms_of(html) if form.is_post and form.action == action]
    return found
