"""The statement of a buyer as it is computed to be frozen: what is copied into it, so that it never changes."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from tonnage.billing.buyer import Buyer
from tonnage.billing.line import Line, SubjectId
from tonnage.billing_profiles.settings import SellerSettings

OTHER_CURRENCY = "other_currency"
"""Blocked: the buyer's prices are in several currencies."""


@dataclass(frozen=True)
class Computed:
    """The statement of one buyer, before it has a number. It has no lines if prices in several currencies block it."""

    id: UUID
    buyer: Buyer
    document: Mapping[str, Any]
    """As `parties.document_of` makes it."""
    payment_term_days: int | None
    blocked: str | None = None
    """Why it cannot be frozen."""
    currency: str | None = None
    net: Decimal | None = None
    gross: Decimal | None = None
    input: bytes | None = None
    """What the buyer had and paid, as billing/month_record.py writes it."""
    digest: str | None = None
    lines: Sequence[Line] = ()
    names: Mapping[SubjectId, str] = field(default_factory=dict[SubjectId, str])
    corrects: UUID | None = None
    """The frozen statement that was computed again."""


def design_digest(design: str) -> str:
    """SHA-256, hexadecimal."""
    return hashlib.sha256(design.encode()).hexdigest()


def design_of(settings: SellerSettings, logo: str | None) -> str:
    """How a seller's documents look, as JSON."""
    look = {"locale": settings.locale, "colour": settings.colour, "footer": settings.footer, "logo": logo}
    return json.dumps(look, ensure_ascii=False, sort_keys=True)
