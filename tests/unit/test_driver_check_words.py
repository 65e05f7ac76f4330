"""What ``fabctl driver-check`` refuses before it tries anything, and what it prints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from fabctl.commands import driver_check_show as show
from fabctl.commands.driver_check import driver_check
from fabctl.driver_contract.catalogue import CHECKS, WATCHED
from fabctl.driver_contract.job_text import job_file
from fabctl.driver_contract.results import Result, State
from fabctl.driver_contract.running import is_kept
from fabctl.errors import InputError

DOCUMENT = Path(__file__).parents[2] / "docs" / "driver-development.md"


def results(*states: State) -> list[Result]:
    return [
        Result(check, state, "" if state is State.PASSED else "why", 0.5)
        for check, state in zip(CHECKS, states, strict=False)
    ]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "which driver"),
        (["marlni"], "no driver is called 'marlni'"),
        (["marlin", "--only", "flies"], "no check is called flies"),
        (["marlin", "--job", "part.gcode"], "belong to --port"),
        (["marlin", "--confirm-port", "/dev/ttyUSB0"], "belong to --port"),
        (["marlin", "--port", "/dev/ttyUSB0"], "nobody confirmed"),
        (["marlin", "--port", "/dev/ttyUSB0", "--confirm-port", "yes"], "nobody confirmed"),
        (["marlin", "--port", "/dev/ttyUSB0", "--long-job", "a.nc"], "needs --job"),
        (["marlin", "--stand-in", "no.such:thing"], "cannot be loaded"),
    ],
)
def test_what_is_refused(words: list[str], sentence: str) -> None:
    done = CliRunner().invoke(driver_check, words)
    assert isinstance(done.exception, InputError)
    assert sentence in str(done.exception)


def test_every_check_is_listed_with_what_it_proves() -> None:
    done = CliRunner().invoke(driver_check, ["--list"])
    assert done.exit_code == 0
    assert all(check.name in done.output and check.proves in done.output for check in CHECKS)
    assert "marlin" in done.output


def test_names_are_unique_and_those_that_the_document_shows_exist() -> None:
    names = [check.name for check in CHECKS]
    assert len(names) == len(set(names))
    shown = {name for name in names if name in DOCUMENT.read_text()}
    assert len(shown) >= 4
    assert [check.run for check in WATCHED] == [None] * len(WATCHED)


@pytest.mark.parametrize(
    ("states", "kept"),
    [
        ([State.PASSED, State.PASSED], True),
        ([State.PASSED, State.NOT_APPLICABLE], True),
        ([State.NOT_APPLICABLE, State.NOT_APPLICABLE], False),
        ([State.PASSED, State.FAILED], False),
        ([State.PASSED, State.NOT_REACHED], False),
    ],
)
def test_what_counts_as_kept(states: list[State], *, kept: bool) -> None:
    assert is_kept(results(*states)) is kept
    told = json.loads(show.as_json("mine", results(*states)))
    assert (told["driver"], told["kept"]) == ("mine", kept)
    assert [row["state"] for row in told["checks"]] == [state.value for state in states]
    assert ("keeps" if kept else "does not keep") in show.summary(results(*states))


def test_a_file_is_counted_as_the_core_counts_it(tmp_path: Path) -> None:
    job = job_file(tmp_path, "G21\n\n; words\n(words)\nG1 X1 ; more\n")
    assert (job.lines, job.commands, job.id) == (5, 2, "job-1")
    assert job_file(tmp_path, "G21\n").id == "job-2"
