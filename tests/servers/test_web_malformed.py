"""Forms that cannot be read: words for people, and the way back to the form."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.staff_hand import at_desk
from tests.staff_scene import Morning, morning
from tests.web_lab import web_lab

FORM = "/m/printer-a/problem"
FOR_PROGRAMS = ("description of the API", "description de l’API", "use one of its ids")


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Morning]:
    """A lab in the morning; nothing that cannot be read changes it."""
    with web_lab(tmp_path_factory.mktemp("still")) as lab:
        yield morning(lab)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "Check the fields of the form and send it again."),
        ("fr", "Vérifie les champs du formulaire et renvoie-le."),
    ],
)
def test_a_malformed_form_says_it_to_people_and_leads_back(
    still: Morning, language: str, words: str
) -> None:
    browser = still.lab.browser(language=language)
    browser.sign_in("mia")
    answer = browser.post(FORM, {"kind": "fire"}, page=FORM)
    assert answer.status_code == 409
    page = answer.get_data(as_text=True)
    assert 'data-code="malformed"' in page
    assert words in page
    assert "kind" not in re.sub(r"<[^>]+>", "", page), "a field's name is no word for people"
    assert f'<a class="button primary" href="{FORM}">' in page


def test_a_form_that_is_too_old_leads_back_to_it(still: Morning) -> None:
    browser = at_desk(still, "mia")
    answer = browser.client.post(FORM, data={"kind": "dirty"}, headers={"Referer": FORM})
    assert answer.status_code == 400
    assert f'<a class="button primary" href="{FORM}">' in answer.get_data(as_text=True)


def test_no_form_of_a_page_speaks_of_the_api(still: Morning) -> None:
    admin = at_desk(still, "root")
    asked = 0
    for rule in still.lab.app.url_map.iter_rules():
        path = re.sub(r"<[^>]+>", "printer-a", rule.rule)
        if "POST" not in (rule.methods or ()) or path.startswith("/api/") or path == "/out":
            continue
        for fields in ({}, {"resource": "nope", "day": "x", "minutes": "-1", "kind": "x"}):
            answer = admin.post(path, fields, page="/me")
            if answer.mimetype == "application/json":  # our own scripts ask here, not people
                continue
            page = answer.get_data(as_text=True)
            assert not any(words in page for words in FOR_PROGRAMS), path
            asked += 1
    assert asked > 150
