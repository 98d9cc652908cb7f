"""The manual of the command line: every command is in it, and every example parses."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tonnage.cli import main

TEXT = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text(encoding="utf-8")
AN_ID = "7e1fe78d-3f61-4215-8c48-eda9e1b08f13"


def commands(group: click.Group, names: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*names, name))
        else:
            yield (*names, name)


def examples() -> Iterator[list[str]]:
    for block in re.findall(r"^```sh\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE):
        for example in re.findall(r"(?:^|\(|\| )tonnage ([^|)\n]+)", block, re.MULTILINE):
            yield shlex.split(re.sub(r"\$[A-Z]+", AN_ID, example))


@pytest.mark.parametrize("names", list(commands(main)), ids=" ".join)
def test_every_command_has_its_section_and_an_example(names: tuple[str, ...]) -> None:
    assert f"### `tonnage {' '.join(names)}`" in TEXT
    assert any(example[: len(names)] == list(names) for example in examples())


def test_every_section_is_about_an_existing_command() -> None:
    sections = re.findall(r"^### `tonnage (.*)`", TEXT, re.MULTILINE)
    assert sorted(sections) == sorted(" ".join(names) for names in commands(main))


@pytest.mark.parametrize("example", list(examples()), ids=" ".join)
def test_every_example_is_understood(example: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for file in (
        "audit-2026-01.jsonl",
        "usage-2026-03.csv",
        "users.csv",
        "prices.json",
        "profile.json",
        "settings.json",
        "rates.json",
        "logo.png",
    ):
        (tmp_path / file).touch()
    group: click.Command = main
    while isinstance(group, click.Group):
        name, *example = example
        found = group.get_command(click.Context(group), name)
        assert found is not None
        group = found
    with group.make_context(None, example):
        pass
