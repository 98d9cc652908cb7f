"""The ids and positions of rows in texts that users send: PostgreSQL's `bigint`."""

_DIGITS = 18
"""As many as any number of that type can have, which ends at 9.2 times 10 to the 18th. No sequence gets that far."""


def parse_bigint(text: str) -> int | None:
    """The number; None for a text that cannot be one. Never negative."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _DIGITS else None
