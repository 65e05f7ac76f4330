"""`fabctl export`, `erase`, `stats` and `seed`, as somebody types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fabctl.errors import InputError, LocalError
from fabctl.i18n import translate
from fabctl.model.refusal import RefusedError
from fabctl.services import people
from tests.servers.store.test_store_commands import PASSWORD, fabctl, lab_toml, opened, with_lea

__all__ = ["lab_toml", "with_lea"]


def lea(lab: Path) -> str:
    database = opened(lab)
    with database.reading() as session:
        found = people.find_by_login(session, "lea")
    database.close()
    assert found is not None
    return found.id


def test_what_is_kept_is_handed_out_and_then_erased(with_lea: Path, tmp_path: Path) -> None:
    who, file = lea(with_lea), tmp_path / "lea.json"
    done = fabctl(with_lea, "export", "--person", who, "--file", str(file))
    assert done.output == f"Wrote {file}.\n"
    assert file.stat().st_mode & 0o077 == 0
    assert json.loads(file.read_text())["person"][0]["display_name"] == "Léa M."
    kept = fabctl(with_lea, "erase", "--person", who, typed="n\n")
    assert "Erase the data of Léa M." in kept.output
    assert "Léa M." in fabctl(with_lea, "export", "--person", who).output
    assert fabctl(with_lea, "erase", "--person", who, "--yes").exit_code == 0
    assert "Léa M." not in fabctl(with_lea, "export", "--person", who).output
    assert "lea" not in fabctl(with_lea, "person", "list").output.split()


def test_the_last_admin_is_not_erased(with_lea: Path) -> None:
    def add(login: str) -> str:
        fabctl(
            with_lea,
            "person",
            "add",
            login,
            login.title(),
            "--role",
            "admin",
            typed=f"{PASSWORD}\n",
        )
        database = opened(with_lea)
        with database.reading() as session:
            found = people.find_by_login(session, login)
        database.close()
        assert found is not None
        return found.id

    iris = add("iris")
    with pytest.raises(RefusedError) as refused:
        fabctl(with_lea, "erase", "--person", iris, "--yes")
    assert refused.value.codes == {"last-admin"}
    (refusal,) = refused.value.refusals
    assert translate(refusal.next_step, "en") == "Make somebody else an administrator first."
    assert "Iris" in fabctl(with_lea, "person", "list").output
    add("awa")
    fabctl(with_lea, "erase", "--person", iris, "--yes")
    assert "Iris" not in fabctl(with_lea, "person", "list").output


def test_statistics_are_printed_and_written(with_lea: Path, tmp_path: Path) -> None:
    shown = fabctl(with_lea, "stats", "--year", "2026").output
    assert shown.startswith(";Groupe;Venues;Personnes;Heures")
    files = [tmp_path / "year.csv", tmp_path / "year.pdf"]
    fabctl(with_lea, "stats", "--csv", str(files[0]), "--pdf", str(files[1]))
    assert files[0].read_bytes().startswith(b"\xef\xbb\xbf;Groupe")
    assert files[1].read_bytes().startswith(b"%PDF")


def test_a_lab_with_people_is_not_seeded(with_lea: Path) -> None:
    with pytest.raises(LocalError, match="has people already"):
        fabctl(with_lea, "seed", "--year")
    with pytest.raises(InputError, match="not clear"):
        fabctl(with_lea, "seed")
