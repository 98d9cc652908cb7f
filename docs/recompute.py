"""Computes lines of a statement again, from the CSV files of their days: python3 recompute.py LINE.csv ...

Not lines of prices by quantity: their bands share their days.
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
total = Decimal(0)
for path in sys.argv[1:]:
    with open(path, newline="", encoding="utf-8-sig") as file:
        *days, line = csv.DictReader(file)  # the last row is the line itself
    if line["product"] in CHARGED:
        charged = CHARGED[line["product"]]
        quantity = sum(charged(int(day["used"]), int(day["capacity"])) for day in days)
        year, month = map(int, line["from"].split("-")[:2])
        unit = 10**9 * (1 if line["product"] == "egress" else monthrange(year, month)[1])  # bytes, or byte-days
        exact = Fraction(quantity, unit) * Fraction(line["unitPrice"]) / 100  # prices are in hundredths
        places = -Decimal(line["amount"]).as_tuple().exponent
        amount = Decimal(floor(exact * 10**places + Fraction(1, 2))).scaleb(-places)  # rounded once
        if amount != Decimal(line["amount"]):
            sys.exit(f"line {line['no']}: {line['amount']} is stated, {amount} follows from its days")
    total += Decimal(line["amount"])
print(total)  # noqa: T201 - what it is run for
