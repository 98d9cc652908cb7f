"""`tonnage billing-profile`, `billing-settings` and `tax-rates`"""

import base64
import json
import uuid
from pathlib import Path
from typing import Any

from tests.api.test_authorization import PNG
from tests.billing_profiles.profiles import PROFILE, of_country
from tests.cli.command import Command


def file(folder: Path, content: Any) -> str:
    path = folder / f"{uuid.uuid4().hex}.json"
    path.write_text(json.dumps(content))
    return str(path)


def test_profiles_of_an_organisation_and_those_that_its_seller_keeps(conninfo: str, tmp_path: Path) -> None:
    tonnage = Command(conninfo)
    distributor = tonnage.distributor()
    partner = tonnage.partner(tonnage.contract(distributor, "10TB"), "1TB")
    group, own = "billing-profile", ("--organisation", partner)
    assert tonnage.json(group, "show", *own) == {"organisationId": partner}
    kept = file(tmp_path, of_country("AT"))
    assert tonnage.json(group, "set", kept, *own, "--kept-by-seller")["country"] == "AT"
    assert tonnage.json(group, "set", file(tmp_path, PROFILE), *own) == {"organisationId": partner, **PROFILE}
    shown = tonnage.json(group, "show", *own, "--kept-by-seller")
    assert (shown["country"], shown["buyersOwn"]) == ("AT", PROFILE)
    assert "Nordlicht Cloud GmbH" in tonnage.ok(group, "show", *own)
    tonnage.ok(group, "set", kept, "--organisation", distributor, "--kept-by-seller")
    assert tonnage.json(group, "show", "--organisation", distributor) == {"organisationId": distributor}
    assert tonnage.json(group, "show", "--organisation", "operator").keys() >= {"organisationId"}


def test_what_is_refused(conninfo: str, tmp_path: Path) -> None:
    tonnage, group = Command(conninfo), "billing-profile"
    nobody, good = str(uuid.uuid4()), file(tmp_path, PROFILE)
    assert "There is no organisation" in tonnage.refused(group, "set", good, "--organisation", nobody)
    for account in ("1", "123456789012"):
        assert f"There is no storage account {account}" in tonnage.refused(group, "show", "--account", account)
    wrong = tonnage.refused(group, "set", file(tmp_path, {"vatId": "X"}), "--organisation", "operator")
    assert "legalName: is required" in wrong
    assert "vatId: must begin with" in wrong
    other = file(tmp_path, {**PROFILE, "country": "AT"})
    assert "is one of DE, but the address is in AT" in tonnage.refused(
        group, "set", other, "--organisation", "operator"
    )
    for text in ("", "[]", "{", '{"a": 1, "a": 2}', "\0"):
        path = tmp_path / "broken.json"
        path.write_text(text)
        assert "JSON" in tonnage.refused(group, "set", str(path), "--organisation", "operator")
    (tmp_path / "large.json").write_text(" " * 2**20 + "{}")
    assert "more than 1 MiB" in tonnage.refused(group, "set", str(tmp_path / "large.json"), "--organisation", nobody)
    for subject in ((), ("--account", "1", "--organisation", "operator"), ("--organisation", "boss")):
        assert tonnage(group, "show", *subject).exit_code == 2
    assert tonnage(group, "show", "--organisation", "operator", "--kept-by-seller").exit_code == 2


def test_settings_logo_and_tax_rates(conninfo: str, tmp_path: Path) -> None:
    tonnage = Command(conninfo)
    seller = ("--organisation", tonnage.distributor())
    assert tonnage.json("billing-settings", "show", *seller)["document"] == "statement"
    wanted = file(tmp_path, {"document": "invoice", "numberFormat": "A-{number:04}"})
    assert tonnage.json("billing-settings", "set", wanted, *seller)["numberFormat"] == "A-{number:04}"
    picture = tmp_path / "logo.png"
    picture.write_bytes(base64.b64decode(PNG))
    tonnage.ok("billing-settings", "logo", str(picture), *seller)
    assert tonnage.json("billing-settings", "show", *seller)["hasLogo"] is True
    tonnage.ok("billing-settings", "logo", "--remove", *seller)
    assert "Logo" in tonnage.ok("billing-settings", "show", *seller)
    picture.write_text("<svg/>")
    assert "must be a PNG image" in tonnage.refused("billing-settings", "logo", str(picture), *seller)
    assert tonnage("billing-settings", "logo", *seller).exit_code == 2
    for broken, said in (
        ({"numberFormat": "{number.__class__}"}, "numberFormat: must"),
        ({"locale": "xx_YY"}, "locale"),
    ):
        assert said in tonnage.refused("billing-settings", "set", file(tmp_path, broken), *seller)

    rates = {"rates": [{"validFrom": "2027-01-01", "percent": "20"}, {"validFrom": "2026-01-01", "percent": "19"}]}
    saved = tonnage.json("tax-rates", "set", file(tmp_path, rates), *seller)
    assert saved == tonnage.json("tax-rates", "show", *seller)
    assert [rate["percent"] for rate in saved["rates"]] == ["19", "20"]
    assert "2026-01-01" in tonnage.ok("tax-rates", "show", *seller)
    assert "rates: must be a list" in tonnage.refused("tax-rates", "set", file(tmp_path, {}), *seller)
