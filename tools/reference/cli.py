"""The command line as a page, from the commands themselves."""

from __future__ import annotations

from collections.abc import Iterator

import click

from fabctl.__main__ import COMMANDS, EXIT_REFUSED, GROUPS, cli
from tools.reference.markdown import code, table

AS_IT_IS = "\b\n"
"""What click wants before a paragraph that is not to be wrapped."""


def commands() -> str:
    """Return every command by what a person wants to do, with its arguments and options."""
    context = click.Context(cli, info_name="fabctl")
    assert EXIT_REFUSED == 2  # noqa: S101  # the page says so
    return "\n".join(_groups(context))


def _groups(context: click.Context) -> Iterator[str]:
    for title, names in GROUPS.items():
        yield f"## {title}\n"
        for name in names:
            command = cli.get_command(context, name)
            assert command is not None  # noqa: S101  # from the same table
            yield from _command(command, name, context)


def _command(command: click.Command, name: str, above: click.Context) -> Iterator[str]:
    """Yield a command's section, then those of the commands below it."""
    context = click.Context(command, info_name=name, parent=above)
    yield f"### `{context.command_path}`\n"
    yield f"{_help(command) or COMMANDS.get(name, ('', ''))[1]}\n"
    yield f"```text\n{command.get_usage(context).removeprefix('Usage: ')}\n```\n"
    yield table(("option", "what"), _options(command, context))
    if isinstance(command, click.Group):
        for below in command.list_commands(context):
            inner = command.get_command(context, below)
            assert inner is not None  # noqa: S101  # the group lists it
            yield from _command(inner, below, context)


def _help(command: click.Command) -> str:
    """Return a command's help; a paragraph that click leaves as it is becomes a block."""
    parts = (command.help or "").strip().split("\n\n")
    return "\n\n".join(_paragraph(part) for part in parts if part)


def _paragraph(part: str) -> str:
    if part.startswith(AS_IT_IS):
        return f"```text\n{part.removeprefix(AS_IT_IS)}\n```"
    return _safe(" ".join(part.split()))


def _safe(words: str) -> str:
    return words.replace("<", "\\<").replace("*", "\\*").replace("[", "\\[")


def _options(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    for param in command.params:
        record = param.get_help_record(context)
        if isinstance(param, click.Option) and record is not None:
            names, said = record
            yield code(names), _safe(said)
