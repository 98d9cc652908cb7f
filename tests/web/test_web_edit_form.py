"""The fields of an edit form that are passed to the action."""

from typing import Annotated, ClassVar

import pytest
from pydantic import AfterValidator

from tonnage.error_codes import ConflictCode
from tonnage.errors import Conflict, EditConflict
from tonnage.web.edit_form import CLEARABLE, PREFIX, BoundEdit, EditForm, OptionalName, bind_edit, of_new, unbound_edit
from tonnage.web.forms import Checkbox
from tonnage.web.number_fields import Size
from tonnage.web.schemas import Name

pytestmark = pytest.mark.anyio

COLOURS = {"red", "green"}


def known(colour: str) -> str:
    if colour not in COLOURS:
        raise ValueError("must be a colour")
    return colour


class Barrel(EditForm):
    names: ClassVar = {"size": "capacity"}

    name: Name | None = None
    note: OptionalName | None = None
    size: Size | None = None
    full: Checkbox | None = None
    colour: Annotated[str, of_new(known), CLEARABLE] | None = None


class Seal(EditForm):
    number: Annotated[str, AfterValidator(known), CLEARABLE]


WAS = {"name": "Oak", "note": "Old", "size": "2", "size_unit": "TB", "full": "on", "colour": "mauve"}


def sent(**typed: str | None) -> BoundEdit[Barrel]:
    """Fields as a browser sends them; None: a box without a tick."""
    original = unbound_edit(Barrel, WAS).original
    fields = {**original, **typed, **{PREFIX + name: text for name, text in original.items()}}
    return bind_edit(Barrel, {name: text for name, text in fields.items() if text is not None})


async def done(form: BoundEdit[Barrel]) -> tuple[Barrel, Barrel]:
    async def act(wanted: Barrel, expected: Barrel) -> tuple[Barrel, Barrel]:
        return wanted, expected

    both = await form.apply(act)
    assert both
    return both


@pytest.mark.parametrize(
    ("typed", "changed", "was"),
    [
        ({}, {}, {}),
        ({"name": "Elm"}, {"name": "Elm"}, {"name": "Oak"}),
        ({"name": " Oak "}, {}, {}),
        ({"note": ""}, {"note": ""}, {"note": "Old"}),
        ({"size": "2000", "size_unit": "GB"}, {}, {}),
        ({"size_unit": "GB"}, {"size": 2 * 10**9}, {"size": 2 * 10**12}),
        ({"full": None}, {"full": False}, {"full": True}),
        ({"colour": "red"}, {"colour": "red"}, {"colour": "mauve"}),
        ({"colour": ""}, {"colour": ""}, {"colour": "mauve"}),
    ],
)
async def test_only_what_was_changed_is_sent(
    typed: dict[str, str | None], changed: dict[str, object], was: dict[str, object]
) -> None:
    wanted, expected = await done(sent(**typed))
    nothing = dict.fromkeys(Barrel.model_fields)
    assert wanted.model_dump() == {**nothing, **changed}
    assert expected.model_dump() == {**nothing, **was}


@pytest.mark.parametrize("typed", [{"name": ""}, {"name": "x" * 201}, {"size": ""}, {"size": "-1"}, {"colour": "blue"}])
async def test_a_rule_that_is_broken_names_its_field(typed: dict[str, str]) -> None:
    form = sent(**typed)
    assert form.value is None
    assert form.errors.keys() == typed.keys()
    assert form.status == 422


async def test_a_field_that_is_always_sent_is_required() -> None:
    both = {"number": "red", PREFIX + "number": "red"}
    form = bind_edit(Seal, both)
    assert form.value == Seal(number="red")
    assert form.changed == {"number"}
    assert bind_edit(Seal, {**both, "number": " "}).errors == {"number": "is required"}
    first = bind_edit(Seal, {**both, PREFIX + "number": ""})
    assert first.seen
    assert first.seen.number == ""


async def refuse(wanted: Barrel, expected: Barrel) -> None:
    raise EditConflict


async def test_a_stale_form_becomes_one_of_what_is_there_now() -> None:
    form = sent(size="3", full=None)
    assert await form.apply(refuse, about="size") is None
    assert (form.is_stale, form.status) == (True, 409)
    present = {**WAS, "size": "5", "note": "", "full": "on"}
    assert {change.field: change[1:] for change in form.rebase(present)} == {
        "size": (2 * 10**12, 5 * 10**12, True),
        "note": ("Old", "", False),
    }
    assert form.original == present
    assert {name: form.raw.get(name) for name in present} == {**present, "size": "3", "full": None}
    again = bind_edit(Barrel, {**form.raw, **{PREFIX + name: text for name, text in form.original.items()}})
    wanted, expected = await done(again)
    assert (wanted.size, expected.size, wanted.full) == (3 * 10**12, 5 * 10**12, False)
    assert wanted.note is None


async def test_another_refusal_leaves_the_form_as_it_was_made() -> None:
    async def full(wanted: Barrel, expected: Barrel) -> None:
        raise Conflict("Too much.", ConflictCode.CONTRACT_FULL, field="capacity")

    form = sent(size="3")
    assert await form.apply(full) is None
    assert form.errors.keys() == {"size"}
    assert (form.is_stale, form.original) == (False, WAS)
    assert await unbound_edit(Barrel, WAS).apply(full) is None
    assert unbound_edit(Barrel, WAS).rebase(WAS) == []
