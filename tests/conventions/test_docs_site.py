"""The documents as a site: it builds without a warning, and what is made from the code is fresh."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from fabctl.messaging.topics import LabTopics
from tools.reference import api
from tools.reference.__main__ import LAB_TOML, MQTT, written
from tools.reference.mqtt import TOPICS
from tools.reference.offline import fetched
from tools.reference.refusals import by_code, of_files

ROOT = Path(__file__).parents[2]
NO_TOPICS = {"every", "commands", "everything", "root", "place", "kept"}
"""Members of LabTopics that are filters, or read a topic."""


@pytest.mark.parametrize("document", [MQTT, LAB_TOML], ids=lambda path: path.name)
def test_what_a_document_holds_from_the_code_is_fresh(document: Path) -> None:
    assert written(document) == document.read_text("utf-8"), "run: python -m tools.reference"


def test_every_topic_is_in_the_table() -> None:
    public = {name for name in vars(LabTopics) if not name.startswith("_")}
    assert public - NO_TOPICS - {"lab"} == set(TOPICS)


def test_every_form_of_data_that_the_api_names_is_described() -> None:
    operations, data = api.operations(), api.data()
    named = set(re.findall(r"\(#(data-\w+)\)", operations + data))
    assert len(named) > 100
    assert named <= set(re.findall(r"^\((data-\w+)\)=$", data, re.MULTILINE))


def test_every_refusal_has_a_sentence_and_a_next_step() -> None:
    found = by_code()
    assert [code for code, said in found.items() if not said.messages or not said.steps] == []
    sources = [path.read_text("utf-8") for path in (ROOT / "fabctl").rglob("*.py")]
    made = {code for text in sources for code in re.findall(r"\bRefusal\(\s*\"([a-z-]+)\"", text)}
    assert len(made) > 100
    assert made <= set(found)


def test_everything_wrong_with_a_file_has_a_sentence() -> None:
    assert [row for row in of_files().splitlines() if "|  |" in row] == []


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    """Every page is read and every link followed; `make docs` writes the pages too."""
    strict = ["--fail-on-warning", "--keep-going", "--nitpicky", "--quiet"]
    what = ["-c", "docs", "--tag", "brief", "--builder", "dummy", ".", str(tmp_path)]
    command = [sys.executable, "-m", "sphinx", *strict, *what]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.returncode == 0


def test_pages_that_fetch_from_elsewhere_are_found(tmp_path: Path) -> None:
    (tmp_path / "good.html").write_text('<a href="https://x.org">x</a><img src="a.png">')
    assert fetched(tmp_path) == []
    (tmp_path / "bad.html").write_text('<script async src="https://x.org/a.js"></script>')
    (tmp_path / "bad.css").write_text("@font-face { src: url(//x.org/a.woff2) }")
    assert len(fetched(tmp_path)) == 2


def test_pictures_stay_small() -> None:
    assert sum(path.stat().st_size for path in (ROOT / "docs/images").iterdir()) < 1_500_000
