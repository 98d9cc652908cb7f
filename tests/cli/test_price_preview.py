"""`tonnage price-book preview`"""

import json
import uuid
from pathlib import Path

from tests.cli.command import Command

MEMBERS = ["buyer", "buyerName", "level", "month", "from", "through", "currency", "now", "preview", "difference"]


def test_a_file_or_a_version_is_previewed(conninfo: str, tmp_path: Path) -> None:
    tonnage = Command(conninfo)
    distributor = tonnage.distributor()
    partner = tonnage.partner(tonnage.contract(distributor, "10TB"), "1TB")
    created = tonnage.json(
        "price-book", "create", "--seller", distributor, "--name", "P", "--currency", "EUR", "--default"
    )
    book = ("--book", created["id"])
    prices, later = tmp_path / "prices.json", tmp_path / "later.json"
    prices.write_text(json.dumps({"validFrom": "2020-01-01", "minimumCharge": "1000", "prorateMinimums": False}))
    later.write_text(json.dumps({"validFrom": "2099-01-01", "minimumCharge": "2500", "prorateMinimums": False}))
    (shown,) = tonnage.json("price-book", "preview", *book, str(prices))
    assert list(shown) == MEMBERS
    assert (shown["buyer"], shown["level"], shown["currency"]) == (partner, "partner", "EUR")
    assert (shown["now"], shown["preview"], shown["difference"]) == ("0.00", "10.00", "10.00")
    assert shown["from"] == f"{shown['month']}-01"
    (whole,) = tonnage.json("price-book", "preview", *book, str(prices), "--whole-month")
    assert whole["preview"] == "10.00"
    assert tonnage.json("price-book", "show", *book) == []
    tonnage.ok("price-book", "publish", *book, str(prices), "--correct")
    tonnage.ok("price-book", "publish", *book, str(later))
    (shown,) = tonnage.json("price-book", "preview", *book, "--version", "2")
    assert (shown["now"], shown["preview"]) == ("10.00", "25.00")
    printed = tonnage.ok("price-book", "preview", *book, "-", stdin=later.read_bytes())
    assert "Difference" in printed
    assert "15.00" in printed


def test_what_is_refused(conninfo: str, tmp_path: Path) -> None:
    tonnage = Command(conninfo)
    book = tonnage.json("price-book", "create", "--seller", "operator", "--name", "P", "--currency", "EUR")["id"]
    prices = tmp_path / "prices.json"
    prices.write_text('{"validFrom": "2099-01-01"}')
    assert tonnage.json("price-book", "preview", "--book", book, str(prices)) == []
    assert "Give either" in tonnage.misused("price-book", "preview", "--book", book)
    assert "Give either" in tonnage.misused("price-book", "preview", "--book", book, str(prices), "--version", "1")
    assert "no version 1" in tonnage.refused("price-book", "preview", "--book", book, "--version", "1")
    nobody = str(uuid.uuid4())
    assert "no price book" in tonnage.refused("price-book", "preview", "--book", nobody, str(prices))
    prices.write_text('{"validFrom": "2099-01-01", "reserved": "-1"}')
    assert "reserved" in tonnage.refused("price-book", "preview", "--book", book, str(prices))
