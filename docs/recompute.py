"""Computes lines of a statement again, from the CSV files of their working: python3 recompute.py LINE.csv ...

Give it all lines of the statement, in any order: then it also compares the lines that a discount or a minimum charge is
computed from. Adjustments are added as they are: what they correct is a statement of an earlier month.
"""

import csv
import sys
from calendar import monthrange
from decimal import Decimal
from fractions import Fraction
from math import floor

CHARGED = {
    "reserved": lambda used, capacity: capacity,
    "excess": lambda used, capacity: max(0, used - capacity),
    "pay_per_use": lambda used, capacity: used,
    "egress": lambda used, capacity: used,
}


def quantity(line, days, basis):
    """Bytes, or byte-days: what is charged of the days."""
    if line["product"] == "capacity_minimum":
        counted = basis["activeDays"] if basis["prorated"] == "true" else basis["daysOfMonth"]
        return int(basis["minimumGb"]) * 10**9 * int(counted) - sum(int(day["used"]) for day in days)
    charged = CHARGED[line["product"]]
    whole = sum(charged(int(day["used"]), int(day["capacity"])) for day in days)
    if not basis or basis["mode"] == "volume":
        return whole
    month = 10**9 * int(basis["daysOfMonth"])  # a part of the whole: what lies in its band
    return min(whole, int(basis["upToGb"]) * month if basis["upToGb"] else whole) - int(basis["aboveGb"]) * month


def exact(line, days, basis, before):
    """What the line charges before it is rounded; None: an adjustment."""
    if line["product"] == "adjustment":
        return None
    if line["product"] in {"discount", "minimum_charge"}:
        base = sum(Fraction(one["amount"]) for one in before)
        if line["product"] == "discount":
            return -base * Fraction(basis["percent"]) / 100
        share = Fraction(int(basis["activeDays"]), int(basis["daysOfMonth"])) if basis["prorated"] == "true" else 1
        return Fraction(basis["minimum"]) * share - base
    year, month = map(int, line["from"].split("-")[:2])
    unit = 10**9 * (1 if line["product"] == "egress" else monthrange(year, month)[1])
    return Fraction(quantity(line, days, basis), unit) * Fraction(line["unitPrice"]) / 100  # prices are in hundredths


def rounded(amount, places):
    """Half away from zero."""
    size = Decimal(floor(abs(amount) * 10**places + Fraction(1, 2))).scaleb(-places)
    return size if amount >= 0 else -size


stated, compared = {}, []
for path in sys.argv[1:]:
    with open(path, newline="", encoding="utf-8-sig") as file:
        *rows, line = csv.DictReader(file)  # the last row is the line itself
    basis = rows.pop() if rows and rows[-1].get("daysOfMonth") else None  # what it is computed from besides days
    before = [row for row in rows if row["no"] != line["no"]]
    days = [row for row in rows if row["no"] == line["no"]]
    compared += [(line, one) for one in before]
    stated[line["no"]] = amount = Decimal(line["amount"])
    follows = exact(line, days, basis, before)
    if follows is not None and rounded(follows, -amount.as_tuple().exponent) != amount:  # rounded once
        right = rounded(follows, -amount.as_tuple().exponent)
        sys.exit(f"line {line['no']}: {amount} is stated, {right} follows from its days")
for line, one in compared:
    if one["no"] in stated and stated[one["no"]] != Decimal(one["amount"]):
        sys.exit(f"line {line['no']} counts line {one['no']} with {one['amount']}, which is {stated[one['no']]}")
print(sum(stated.values(), Decimal(0)))  # noqa: T201 - what it is run for
