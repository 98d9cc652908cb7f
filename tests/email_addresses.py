"""E-mail addresses of every kind, and what becomes of each at every door."""

from dataclasses import dataclass

UNIQUE = "u1u"
"""Stands in the addresses for a word that is new in every test."""


@dataclass(frozen=True)
class Address:
    """`typed` is stored as `stored`, or refused for None."""

    kind: str
    typed: str
    stored: str | None
    same: str | None = None
    """Another spelling of it."""
    other: str | None = None
    """What looks like it and is another address."""

    def __str__(self) -> str:
        return self.kind

    @property
    def spellings(self) -> list[str]:
        """All of it, each once."""
        return list(dict.fromkeys(filter(None, (self.typed, self.stored, self.same))))

    def named(self, word: str) -> "Address":
        """With `word` in place of UNIQUE."""

        def name(text: str | None) -> str | None:
            return text and text.replace(UNIQUE.upper(), word.upper()).replace(UNIQUE, word)

        return Address(self.kind, name(self.typed) or "", name(self.stored), name(self.same), name(self.other))


def accepted(kind: str, typed: str, stored: str, same: str | None = None, other: str | None = None) -> Address:
    return Address(kind, typed, stored, same, other)


def refused(kind: str, typed: str) -> Address:
    return Address(kind, typed, None)


ADDRESSES = (
    accepted("ascii", "u1u@example.com", "u1u@example.com", "U1U@Example.COM", "u1u.@example.com"),
    accepted("upper case", "U1U@EXAMPLE.COM", "U1U@example.com", "u1u@example.com"),
    accepted("spaces around", " \tu1u@example.com \u00a0", "u1u@example.com", "u1u@example.com"),
    accepted("plus tag", "u1u+news@example.com", "u1u+news@example.com", "U1U+NEWS@example.com", "u1u@example.com"),
    accepted("dots", "u1u.a.b@example.com", "u1u.a.b@example.com", "U1U.A.B@example.com", "u1uab@example.com"),
    accepted(
        "composed", "u1uzo\u00eb@example.com", "u1uzo\u00eb@example.com", "U1UZO\u00cb@example.com",
        "u1uzoe@example.com",
    ),
    accepted("decomposed", "u1uzoe\u0308@example.com", "u1uzo\u00eb@example.com", "u1uzo\u00eb@example.com"),
    accepted(
        "international domain", "u1u@m\u00fcnchen.example.com", "u1u@m\u00fcnchen.example.com",
        "u1u@xn--mnchen-3ya.example.com", "u1u@munchen.example.com",
    ),
    accepted(
        "international domain in ASCII", "u1u@XN--MNCHEN-3YA.example.com", "u1u@m\u00fcnchen.example.com",
        "u1u@mu\u0308nchen.example.com",
    ),
    accepted(
        "international domain in upper case", "u1u@M\u00dcNCHEN.example.com", "u1u@m\u00fcnchen.example.com",
        "u1u@m\u00fcnchen.example.com",
    ),
    accepted(
        "sharp s in the domain", "u1u@stra\u00dfe.example.com", "u1u@stra\u00dfe.example.com",
        "u1u@xn--strae-oqa.example.com", "u1u@strasse.example.com",
    ),
    accepted("sharp s before it", "u1u\u00df@example.com", "u1u\u00df@example.com", "U1U\u00df@example.com",
             "u1uss@example.com"),
    accepted("dotless i", "u1u\u0131nci@example.com", "u1u\u0131nci@example.com", "U1U\u0131NCI@example.com",
             "u1uinci@example.com"),
    accepted("dotted capital i", "u1u\u0130nci@example.com", "u1u\u0130nci@example.com", "u1ui\u0307nci@example.com",
             "u1uinci@example.com"),
    accepted("full width domain", "u1u@\uff45xample.com", "u1u@example.com", "u1u@example.com"),
    accepted("full width name", "u1u\uff41@example.com", "u1u\uff41@example.com", "u1u\uff21@example.com",
             "u1ua@example.com"),
    accepted("ideographic full stop", "u1u@example\u3002com", "u1u@example.com", "u1u@example.com"),
    accepted("Ohm sign", "u1u\u2126@example.com", "u1u\u03a9@example.com", "u1u\u03c9@example.com"),
    refused("trailing dot", "u1u@example.com."),
    refused("emoji domain", "u1u@\U0001f4a9.example.com"),
    refused("quoted", '"u1u u1u"@example.com'),
    refused("comment", "u1u(comment)@example.com"),
    refused("IP literal", "u1u@[192.0.2.1]"),
    refused("two at signs", "u1u@b@example.com"),
    refused("full width at sign", "u1u\uff20example.com"),
    refused("too long", f"u1u@{'a' * 60}.{'b' * 60}.{'c' * 60}.{'d' * 60}.example.com"),
    refused("space inside", "u1 u1u@example.com"),
    refused("invisible", "u1u\u00ad@example.com"),
    refused("no domain", "u1u@localhost"),
)  # fmt: skip
