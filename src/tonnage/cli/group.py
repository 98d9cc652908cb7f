"""The group of commands: it loads a command's module when the command is called, and ends errors in one sentence."""

import gc
from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

import click


class Commands(click.Group):
    """Command `noun` is the attribute `noun` of the module `tonnage.cli.commands.noun`; `a-noun` is `a_noun` there.

    Loading all of them takes seconds, and `--help` needs none: the short helps are in the table. `commands_of` maps a
    section of the help to its commands and their short helps.
    """

    def __init__(self, *args: Any, commands_of: Mapping[str, Mapping[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._sections = commands_of

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, in the order of the help."""
        return [name for section in self._sections.values() for name in section]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, loaded now."""
        if cmd_name not in self.list_commands(ctx):
            return None
        name = cmd_name.replace("-", "_")
        return getattr(_loaded(f"tonnage.cli.commands.{name}"), name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The sections of the help."""
        width = max(len(name) for name in self.list_commands(ctx))
        for title, commands in self._sections.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), text) for name, text in commands.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command. What it refuses or cannot reach becomes one sentence and exit status 1."""
        try:
            return super().invoke(ctx)
        except click.exceptions.Exit:
            raise
        except Exception as error:
            from tonnage.cli.error_messages import error_message  # noqa: PLC0415  it loads the driver, which --help need not

            sentence = error_message(error)
            if sentence is None:
                raise
            raise click.ClickException(sentence) from error


def _loaded(module: str) -> ModuleType:
    """The module. 260,000 objects come with that of `serve`, and all of them stay: there is no garbage to look for."""
    gc.disable()
    try:
        return import_module(module)
    finally:
        gc.enable()
