"""The chart that chart.js draws from a figure and its table."""

from datetime import date
from time import monotonic

import pytest
from playwright.sync_api import Page, expect

from tests.browser import axe
from tests.browser.figures import figure
from tests.browser.stub_page import StubPage

pytestmark = pytest.mark.browser

TB = 10**12
FIRST = date(2026, 11, 1)
USED = [2 * TB, 3 * TB, 4 * TB, 5 * TB, 6 * TB, 7 * TB]
ALLOCATED = [5 * TB] * 6
EXCESS = [0, 0, 0, 0, 1 * TB, 2 * TB]

LIGHT = {"usage": "#0b5cad", "excess": "#c2410c", "mark": "#16202a"}
DARK = {"usage": "#6db3f2", "excess": "#ff8a4c", "mark": "#e6ebef"}

# Where a canvas has a colour: number of pixels, and their range as shares of the width. Read from a copy: Chromium
# warns of reading from a canvas that is also drawn on.
_FIND = """(canvas, [colour, opaque]) => {
    const context = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
    context.drawImage(canvas, 0, 0);
    const { data, width } = context.getImageData(0, 0, canvas.width, canvas.height);
    const wanted = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
    let count = 0, left = width, right = 0;
    for (let at = 0; at < data.length; at += 4) {
        if (data[at + 3] < opaque || wanted.some((value, i) => Math.abs(data[at + i] - value) > 3)) continue;
        count += 1;
        left = Math.min(left, (at / 4) % width);
        right = Math.max(right, (at / 4) % width);
    }
    return [count, left / width, right / width];
}"""


def found(page: Page, colour: str, opaque: int = 250) -> tuple[int, float, float]:
    count, left, right = page.locator(".chart canvas").evaluate(_FIND, [colour, opaque])
    return count, left, right


def eventually(page: Page, shown: dict[str, str], gone: dict[str, str]) -> None:
    """Waits until usage and excess have the colours of `shown`, and no pixel has those of `gone`."""
    deadline = monotonic() + 10
    while True:
        right = all(
            found(page, shown[name])[0] > 150 and found(page, gone[name])[0] == 0 for name in ("usage", "excess")
        )
        if right or monotonic() > deadline:
            break
    assert right


def usage(used: list[int] = USED, allocated: list[int] = ALLOCATED, excess: list[int] = EXCESS) -> str:
    return figure("usage", FIRST, used=used, allocated=allocated, excess=excess)


def test_usage_is_drawn_with_its_mark_and_what_is_beyond_it(stub: StubPage) -> None:
    page = stub.show(usage(), chart=True)
    lines = {name: found(page, colour) for name, colour in LIGHT.items()}
    assert all(count > 150 for count, _, _ in lines.values())
    # The allocation from edge to edge, the usage from the left to the crossing, the excess from there on.
    assert lines["mark"][1] < 0.1
    assert lines["mark"][2] > 0.95
    assert lines["usage"][1] < 0.1
    assert 0.5 < lines["usage"][2] < 0.7
    assert abs(lines["excess"][1] - lines["usage"][2]) < 0.02
    assert lines["excess"][2] > 0.95


def test_pay_per_use_has_no_mark_and_nothing_beyond_it(stub: StubPage) -> None:
    page = stub.show(usage(allocated=[0] * 6, excess=USED), chart=True)
    assert found(page, LIGHT["usage"])[2] > 0.95
    assert found(page, LIGHT["excess"])[0] == found(page, LIGHT["mark"])[0] == 0
    # The line begins with the first day that has an allocation.
    page = stub.show(usage(allocated=[0, 0, 0, *ALLOCATED[3:]]), chart=True)
    assert 0.45 < found(page, LIGHT["mark"])[1] < 0.6


@pytest.mark.parametrize(("kind", "column"), [("traffic", "egress"), ("requests", "requests"), ("objects", "objects")])
def test_other_measures_are_drawn(stub: StubPage, kind: str, column: str) -> None:
    page = stub.show(figure(kind, FIRST, **{column: USED}), chart=True)
    # Bars are slightly transparent, and areas mostly.
    assert found(page, LIGHT["usage"], 170)[0] > (500 if kind == "objects" else 10_000)


def test_one_day_and_no_use_at_all_are_drawn_too(stub: StubPage) -> None:
    page = stub.show(usage(USED[:1], ALLOCATED[:1], EXCESS[:1]), chart=True)
    assert found(page, LIGHT["usage"])[0] > 150
    page = stub.show(usage([0] * 6, [0] * 6, [0] * 6), chart=True)
    assert found(page, LIGHT["usage"])[0] > 150
    page = stub.show(usage([], [], []), chart=True)
    assert page.locator("canvas").count() == 0


def test_the_tooltip_repeats_the_table(stub: StubPage) -> None:
    page = stub.show(usage(), chart=True)
    plot, tip = page.locator(".chart-plot"), page.locator(".chart-tip")
    expect(tip).to_be_hidden()
    box = plot.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] - 20, box["y"] + 100)
    expect(tip).to_have_text("6 Nov 2026Used7 TBAllocated5 TBExcess2 TB")
    shown = tip.bounding_box()
    assert shown
    assert shown["x"] + shown["width"] < box["x"] + box["width"]
    page.mouse.move(box["x"] + 80, box["y"] + 100)
    expect(tip).to_have_text("1 Nov 2026Used2 TBAllocated5 TB")  # no excess, so no line about it
    page.mouse.move(box["x"] + 80, box["y"] - 40)
    expect(tip).to_be_hidden()


def test_the_keyboard_goes_from_day_to_day(stub: StubPage) -> None:
    page = stub.show(usage(), chart=True)
    plot, tip = page.get_by_role("slider", name="usage"), page.locator(".chart-tip")
    page.keyboard.press("Tab")
    expect(plot).to_be_focused()
    expect(tip).to_contain_text("6 Nov 2026")
    for key, day in (
        ("ArrowLeft", 5),
        ("ArrowLeft", 4),
        ("ArrowRight", 5),
        ("Home", 1),
        ("ArrowLeft", 1),
        ("End", 6),
        ("ArrowRight", 6),
    ):
        page.keyboard.press(key)
        expect(tip).to_contain_text(f"{day} Nov 2026")
        expect(plot).to_have_attribute("aria-valuenow", str(day - 1))
    expect(plot).to_have_attribute("aria-valuetext", "6 Nov 2026, Used: 7 TB, Allocated: 5 TB, Excess: 2 TB")
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()
    page.keyboard.press("ArrowLeft")
    expect(tip).to_be_visible()
    page.keyboard.press("Tab")
    expect(tip).to_be_hidden()


def test_colours_follow_the_theme_and_the_system(stub: StubPage) -> None:
    page = stub.show(usage(), chart=True)
    for theme, shown, gone in (("dark", DARK, LIGHT), ("light", LIGHT, DARK)):
        page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
        eventually(page, shown, gone)
    page.evaluate("() => { delete document.documentElement.dataset.theme; }")
    page.emulate_media(color_scheme="dark")
    eventually(page, DARK, LIGHT)


def test_it_is_printed_in_the_colours_of_paper(stub: StubPage) -> None:
    page = stub.show(usage(), chart=True)
    page.evaluate("() => { document.documentElement.dataset.theme = 'dark'; }")
    eventually(page, DARK, LIGHT)
    page.emulate_media(media="print")
    eventually(page, LIGHT, DARK)
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(22, 32, 42)"


def test_it_fits_the_available_width(stub: StubPage) -> None:
    page = stub.show(usage(), chart=True)
    height = page.locator(".chart-plot").bounding_box()
    for width in (360, 1400):
        page.set_viewport_size({"width": width, "height": 700})
        page.wait_for_function(
            """() => { const [plot, drawn] = [".chart-plot", ".chart canvas"].map((name) =>
            document.querySelector(name).getBoundingClientRect()); return Math.abs(plot.width - drawn.width) < 1; }"""
        )
        assert not page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    after = page.locator(".chart-plot").bounding_box()
    assert height
    assert after
    assert after["height"] == height["height"]


def test_its_room_is_kept_before_it_is_drawn(stub: StubPage) -> None:
    page = stub.show(usage())  # without its script
    page.add_style_tag(url="/static/chart.css")
    plot = page.locator(".chart-plot")
    before = plot.bounding_box()
    page = stub.show(usage(), chart=True)
    after = plot.bounding_box()
    assert before
    assert after
    assert before["height"] == after["height"] > 100


def test_a_loaded_fragment_is_drawn_and_a_replaced_one_released(stub: StubPage) -> None:
    stub.parts["/?days=6"] = (200, f'<html><body><div id="part">{usage()}</div></body></html>')
    link = '<a hx-get="/?days=6" hx-target="#part" hx-select="#part" hx-swap="outerHTML" href="/">Six days</a>'
    page = stub.show(f'{link}<div id="part">{usage(USED[:2], ALLOCATED[:2], EXCESS[:2])}</div>', chart=True)
    expect(page.get_by_role("slider")).to_have_attribute("aria-valuemax", "1")
    page.get_by_role("link").click()
    expect(page.get_by_role("slider")).to_have_attribute("aria-valuemax", "5")
    assert page.locator("canvas").count() == 1
    page.set_viewport_size({"width": 600, "height": 700})
    page.evaluate("document.documentElement.dataset.theme = 'dark'")


def test_it_is_accessible(stub: StubPage) -> None:
    axe.check(stub.show(usage(), chart=True))
