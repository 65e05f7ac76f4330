"""What the documents show works as they show it."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from fabctl.__main__ import COMMANDS, GROUPS, cli
from fabctl.config_file import load
from fabctl.units import Celsius

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    *sorted(ROOT.glob("*.md")),
    *(path for folder in ("docs", "deploy") for path in sorted((ROOT / folder).rglob("*.md"))),
]


def test_the_documented_lab_toml_is_right(tmp_path: Path) -> None:
    shown = re.search(r"```toml\n(.*?)```", (ROOT / "docs/lab-toml.md").read_text(), re.DOTALL)
    assert shown
    file = tmp_path / "lab.toml"
    file.write_text(shown.group(1))
    config = load(file)
    assert list(config.machines) == ["printer-a", "laser"]
    assert config.machines["printer-a"].limits.nozzle_max_c == Celsius(280)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)\)", document.read_text())
    assert [target for target in targets if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_there_and_has_a_help_page(name: str) -> None:
    module, _, attribute = COMMANDS[name][0].partition(":")
    command = getattr(importlib.import_module(f"fabctl.commands.{module}"), attribute)
    assert isinstance(command, click.Command)
    help_page = command.get_help(click.Context(command, info_name=name))
    assert len(help_page.splitlines()) > 5
    assert sum(name in group for group in GROUPS.values()) == 1


def test_commands_that_documents_show_exist() -> None:
    shown = {
        word
        for document in DOCUMENTS
        for word in re.findall(r"`(?:\.venv/bin/)?fabctl ([a-z][a-z-]+)", document.read_text())
    }
    assert len(shown) > 5
    assert shown <= set(COMMANDS)


SHOWN = re.compile(r"(?:^|[`$\s/])fabctl ([a-z][a-z-]+(?:[ \t]+[^\s`|;#→()…]+)*)", re.MULTILINE)


def test_options_that_documents_show_exist() -> None:
    """Of each `fabctl COMMAND … --option` in a document."""
    wrong = [f"{one.name}: {found}" for one in DOCUMENTS for found in unknown(one.read_text())]
    assert wrong == []
    assert list(unknown("`sudo fabctl backup verify --idntity KEY`")) == [
        "fabctl backup: --idntity"
    ]


def unknown(text: str) -> Iterator[str]:
    """Find options of our commands that are not theirs."""
    for words in SHOWN.findall(text.replace("\\\n", " ")):
        name, *rest = words.split()
        if name not in COMMANDS:
            continue
        command = cli.get_command(click.Context(cli), name)
        while isinstance(command, click.Group) and rest and rest[0] in command.commands:
            command = command.commands[rest.pop(0)]
        assert command is not None
        known = {"--help"}.union(*((*one.opts, *one.secondary_opts) for one in command.params))
        shown = {word.partition("=")[0].strip(",.`\"'") for word in rest if word.startswith("--")}
        yield from (f"fabctl {name}: {one}" for one in sorted(shown - known))
