"""Forms: parsed strictly, validated as a whole, and rendered again with their input."""

from decimal import Decimal

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from starlette.requests import Request

from tonnage.error_codes import ConflictCode
from tonnage.errors import Conflict, FieldError, Invalid, NotFound
from tonnage.units import MAX_CAPACITY
from tonnage.web import problem
from tonnage.web.forms import BoundForm, Checkbox, Form, bind, read_form, unbound
from tonnage.web.number_fields import Size, typed_size
from tonnage.web.responses import Json
from tonnage.web.schemas import Name

pytestmark = pytest.mark.anyio


class Order(Form):
    name: Name
    size: Size
    rush: Checkbox = False


def filled(**fields: str) -> BoundForm[Order]:
    return bind(Order, {"name": "Hill", "size": "5", "size_unit": "TB", **fields})


def test_a_good_form_has_a_value() -> None:
    assert filled().value == Order.model_construct(name="Hill", size=5 * 10**12, rush=False)
    assert filled(rush="on", size="0").value == Order.model_construct(name="Hill", size=0, rush=True)
    assert filled().status == 200


def test_every_field_that_is_wrong_is_named_at_once() -> None:
    form = filled(name="  ", size="much")
    assert form.value is None
    assert set(form.errors) == {"name", "size"}
    assert form.errors["name"] == "is required"
    assert form.raw["size"] == "much"
    assert form.status == 422


NO_SIZES = ["-1", "1e3", "0.0000000000001", "99999999999999999999", "NaN", "1.000", "1,5,0", "5 TB", "5 B"]


@pytest.mark.parametrize("size", NO_SIZES)
def test_invalid_sizes_are_refused(size: str) -> None:
    assert set(filled(size=size).errors) == {"size"}


@pytest.mark.parametrize("unit", ["", "XB", "TB TB", "\0"])
def test_invalid_units_are_refused_or_mean_bytes(unit: str) -> None:
    form = filled(size_unit=unit)
    assert form.value is None or form.value.size == 5


def test_unstorable_text_is_refused() -> None:
    assert set(filled(name="a\0b").errors) == {"name"}


@pytest.mark.parametrize("size", [0, 1, 999, 10**6, 1_500_000_000, 5 * 10**12, 1_234_567_890_123, 10**15, MAX_CAPACITY])
def test_a_size_is_typed_exactly(size: int) -> None:
    fields = typed_size("size", size)
    units = {"B": 0, "MB": 6, "GB": 9, "TB": 12, "PB": 15}
    assert Decimal(fields["size"]).scaleb(units[fields["size_unit"]]) == size
    value = filled(**fields).value
    assert value is not None
    assert value.size == size


async def test_a_refusal_of_the_action_is_said_at_the_field_that_it_is_about() -> None:
    async def no_room(_: Order) -> str:
        raise Conflict("There is no room.", ConflictCode.CONTRACT_FULL)

    form = filled()
    assert await form.submit(no_room, about="size") is None
    assert str(form.errors["size"]) == "There is no room."
    assert form.status == 409

    async def bad_name(_: Order) -> str:
        raise Invalid("name: is bad", (FieldError("title", "is bad"),))

    form = filled()
    assert await form.submit(bad_name, fields={"title": "name"}) is None
    assert form.errors == {"name": "is bad"}
    assert form.status == 422


async def test_not_found_is_no_error_of_a_field() -> None:
    async def gone(_: Order) -> str:
        raise NotFound("It is gone.")

    with pytest.raises(NotFound):
        await filled().submit(gone)


async def test_a_form_that_breaks_a_rule_never_reaches_the_action() -> None:
    async def never(_: Order) -> str:
        raise AssertionError

    assert await filled(name="").submit(never) is None
    assert await unbound(Order, name="Hill").submit(never) is None


@pytest.fixture
async def http() -> AsyncClient:
    app = FastAPI()
    problem.install(app)

    @app.post("/")
    async def echo(request: Request) -> Json:  # pyright: ignore[reportUnusedFunction]  registered by its decorator
        return Json(repr(sorted((await read_form(request)).items())).encode())

    return AsyncClient(transport=ASGITransport(app), base_url="http://web")


async def test_a_body_is_read_as_browsers_send_it(http: AsyncClient) -> None:
    sent = await http.post("/", data={"name": "Zoë & Söhne +1", "empty": ""})
    assert sent.text == "[('empty', ''), ('name', 'Zoë & Söhne +1')]"


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b"{}", "application/json", 415),
        (b"a=1", "multipart/form-data; boundary=x", 400),
        (b"a=1", "multipart/mixed; boundary=x", 415),
        (b"a=%ff", "application/x-www-form-urlencoded", 400),
        (b"a=\xff", "application/x-www-form-urlencoded", 400),
        (b"&".join(b"a=1" for _ in range(300)), "application/x-www-form-urlencoded", 400),
        (b"a=" + b"1" * 1024 * 1024, "application/x-www-form-urlencoded", 413),
    ],
)
async def test_malformed_forms_are_refused(http: AsyncClient, content: bytes, media_type: str, status: int) -> None:
    refused = await http.post("/", content=content, headers={"Content-Type": media_type})
    assert refused.status_code == status
