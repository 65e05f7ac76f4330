"""What the interlock says has French words, plain ones, and no code is without a sentence."""

from __future__ import annotations

from babel.messages.pofile import read_po

from fabctl.i18n import LOCALES
from fabctl.interlock_causes import (
    SENTENCES,
    UNHEARD_OF,
    Advice,
    Cause,
    FaultCode,
    PermitRefusal,
)

FILE = LOCALES / "fr" / "interlock.po"
LONGEST_SENTENCE_WORDS = 15


def french() -> dict[str, str]:
    with FILE.open("rb") as stream:
        found = read_po(stream, locale="fr", abort_invalid=True)
    return {str(m.id): str(m.string) for m in found if m.id and m.string and not m.fuzzy}


def said() -> set[str]:
    sentences = (*SENTENCES.values(), UNHEARD_OF)
    return {said for one in sentences for said in (one.what, one.next_step)}


def test_every_code_has_a_sentence_and_a_next_step() -> None:
    codes = [*Cause, *FaultCode, *Advice, *PermitRefusal]
    assert set(SENTENCES) == set(codes)
    assert len(set(codes)) == len(codes)
    assert "" not in said()


def test_the_catalogue_holds_what_is_said_and_nothing_else() -> None:
    assert set(french()) == said()


def test_english_and_french_are_plain() -> None:
    for sentence in (*said(), *french().values()):
        assert not {"vous", "votre", "vos"} & set(sentence.casefold().split())
        for part in sentence.replace("? ", ". ").split(". "):
            assert len(part.split()) <= LONGEST_SENTENCE_WORDS, part


def test_no_sentence_calls_software_an_emergency_stop() -> None:
    for sentence in (*said(), *french().values()):
        assert "emergency" not in sentence.casefold()
        assert "urgence" not in sentence.casefold()
