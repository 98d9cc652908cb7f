"""The pages by which a statement is taken back: credit notes of a whole statement or of a line, and void."""

from uuid import UUID

import pytest

from tests.api.conftest import AppClient
from tests.console.html_forms import form_of
from tests.console.test_statements import data, frozen, rows, text
from tests.statements.months import Sellers
from tonnage.access.actor import Role

__all__ = ["data"]

pytestmark = pytest.mark.anyio


async def test_a_part_of_a_line_then_the_rest(client: AppClient, data: Sellers) -> None:
    """Of 130.90: 5.00 of the excess, with a comma in the reader's language; then 124.95."""
    found = await frozen(data)
    ann = await client.sign_in(data.distributor)
    path = f"/statements/{found}/lines/2/credit-note"
    assert f'href="{path}"' in (await ann.get(f"/statements/{found}/lines/2")).text
    asked = await ann.get(path)
    assert "€20.00, of which €20.00 is left" in text(asked)
    assert form_of(asked.text, path).shown["amount"] == "20"
    wrong = await ann.send(path, {"amount": "20.001", "reason": " "})
    assert wrong.status_code == 422
    assert set(form_of(wrong.text, path).errors) == {"amount-error", "reason-error"}
    much = await ann.send(path, {"amount": "20.01", "reason": "Outage"})
    assert much.status_code == 409
    assert "EUR 20.00 is left to take back" in text(much)
    done = await ann.send(path, {"amount": "5.00", "reason": "Outage <1>"})
    assert done.status_code == 303
    note = done.headers["location"]
    for reader in (ann, await client.sign_in(data.partner)):
        shown = text(await reader.get(note))
        for said in (
            "Credit statement INV-2026-00002",
            "Takes back INV-2026-00001",
            "Reason Outage <1>",
            "Total -€5.95",
        ):
            assert said in shown
        assert f'href="/statements/{found}/lines/2"' in (await reader.get(note)).text
        shown = text(await reader.get(f"/statements/{found}"))
        assert "Credit note INV-2026-00002 -€5.95 Left €124.95" in shown
    assert "owes €124.95" in text(await ann.get(f"/statements/{found}/payment"))

    path = f"/statements/{found}/credit-note"
    assert "€124.95 of €130.90" in text(await ann.get(path))
    done = await ann.send(path, {"reason": "Terminated"})
    assert "Total -€124.95" in text(await ann.get(done.headers["location"]))
    shown = text(await ann.get(f"/statements/{found}"))
    assert "Left €0.00" in shown
    for gone in ("Mark as paid", "Make void"):
        assert gone not in shown
    assert f'href="{path}"' not in (await ann.get(f"/statements/{found}")).text
    again = await ann.send(path, {"reason": "Twice"})
    assert again.status_code == 409
    assert [len(await rows(ann, f"?show={state}")) for state in ("credited", "unpaid", "frozen")] == [1, 0, 2]


async def test_void(client: AppClient, data: Sellers) -> None:
    found = await frozen(data)
    ann = await client.sign_in(data.distributor)
    path = f"/statements/{found}/void"
    assert "INV-2026-00001 keeps its number" in text(await ann.get(path))
    assert (await ann.send(path, {"reason": ""})).status_code == 422
    assert (await ann.send(path, {"reason": "Wrong address"})).status_code == 303
    for reader in (ann, await client.sign_in(data.partner)):
        shown = text(await reader.get(f"/statements/{found}"))
        assert "Void: it counts nowhere" in shown
        assert "Wrong address" in shown
        assert "Mark as paid" not in shown
    assert await rows(ann, "?show=void") == ["Pia"]
    assert "Nothing is frozen yet" in text(await ann.get("/statements/months/2026-03"))
    draft = await ann.get(f"/statements/draft-{data.partner.organisation_id}-2026-03")
    assert draft.status_code == 200


async def test_only_admins_of_the_seller_take_back(client: AppClient, data: Sellers) -> None:
    found = await frozen(data)
    pia, staff = await client.sign_in(data.partner), await client.sign_in(data.distributor, Role.STAFF, name="Staff")
    for door in ("credit-note", "lines/1/credit-note", "void"):
        path = f"/statements/{found}/{door}"
        for reader in (pia, staff):
            assert f'href="{path}"' not in (await reader.get(f"/statements/{found}")).text
        for fields in ({"reason": "Mine"}, {"reason": "Mine", "amount": "1"}):
            assert (await pia.post(path, fields)).status_code == 404
            assert (await staff.post(path, fields)).status_code == 403
    for line in ("0", "3", "x"):
        ann = await client.sign_in(data.distributor, name=line)
        assert (await ann.get(f"/statements/{found}/lines/{line}/credit-note")).status_code == 404
    assert (await pia.get(f"/statements/{UUID(int=1)}/credit-note")).status_code in {403, 404}
