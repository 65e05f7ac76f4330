"""Names in any script: joined, in the right order, whole, and what is lost is told."""

from __future__ import annotations

import io
import unicodedata
from dataclasses import replace

import pytest
from pypdf import PdfReader

from fabctl.services.lettering import broken, runs, width_of
from fabctl.services.papers import (
    BOLD,
    DROID,
    FONTS,
    REGULAR,
    SYMBOLA,
    Losses,
    font_of,
    one_line,
    use_fonts,
)
from tests.unit.test_papers import CERTIFICATE, ROW, certificate, sheet

# The whole lab goes on without fonts (its papers then show boxes): so may the tests.
needs_dejavu = pytest.mark.skipif(
    use_fonts() != FONTS / "dejavu", reason="fonts-dejavu-core is not installed"
)


def needs(file: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(not (FONTS / file).exists(), reason=f"{file} is not installed")


def drawn(said: str, font: str = REGULAR) -> str:
    """Return what stands on the line, from left to right."""
    return "".join(run.shown for run in runs(said, font, 10))


def plain(shown: str) -> str:
    """Return letters without their joined forms."""
    return unicodedata.normalize("NFKC", shown)


def printed(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


@needs_dejavu
@pytest.mark.parametrize("font", [REGULAR, BOLD])
@pytest.mark.parametrize("name", ["مريم بن علي", "کیمیا رضایی", "ياسين", "דוד לוי"])
def test_a_name_from_right_to_left_begins_at_the_right(name: str, font: str) -> None:
    assert plain(drawn(name, font)) == name[::-1]


@needs_dejavu
def test_arabic_letters_are_joined() -> None:
    beginning, middle, end = "\ufee3", "\ufee4", "\ufee2"  # of meem, and one alone: U+FEE1
    assert drawn("ممم") == end + middle + beginning
    assert drawn("م") in {"م", "\ufee1"}
    assert drawn("مم م")[0] in {"م", "\ufee1"}, "nothing is joined over a space"


@needs_dejavu
def test_marks_stay_with_their_letter() -> None:
    said = "שָׁלוֹם"
    assert sorted(drawn(said)) == sorted(said)
    assert width_of(said, REGULAR, 10) == pytest.approx(width_of("שלום", REGULAR, 10))


@needs_dejavu
@pytest.mark.parametrize("font", [REGULAR, BOLD])
@pytest.mark.parametrize("name", ["Наталья Ковальчук", "Nguyễn Thị Ánh", "Ελένη", "ნინო", "Արամ"])
def test_other_alphabets_are_in_the_main_font(name: str, font: str) -> None:
    assert [(run.font, run.shown) for run in runs(name, font, 10)] == [(font, name)]
    apart = one_line(unicodedata.normalize("NFD", name))
    assert apart == name


@needs_dejavu
def test_two_directions_in_one_name() -> None:
    assert plain(drawn("Mona مريم x")) == "Mona ميرم x"
    assert plain(drawn("مريم 12")) == "12 ميرم"


@needs_dejavu
def test_brackets_open_towards_what_they_hold() -> None:
    assert plain(drawn("مريم (علي)")) == "(يلع) ميرم"
    assert plain(drawn("Kim (مريم)")) == "Kim (ميرم)"
    assert plain(drawn("مريم (Kim)")) == "(Kim) ميرم"


def test_a_name_cannot_turn_what_stands_beside_it() -> None:
    assert one_line("Zoé \u202eevil\u2066 x") == "Zoé evil x"


@needs_dejavu
def test_a_telephone_number_after_an_arabic_name_keeps_its_order() -> None:
    row = replace(ROW, name="مريم", guardian_name="علي", guardian_phone="06 12 34 56 78")
    assert "06 12 34 56 78" in printed(sheet([row]))


@needs_dejavu
def test_the_first_words_of_a_long_name_are_on_the_first_line() -> None:
    name = "محمد الأمين بن علي بن أحمد"
    lines = broken(name, REGULAR, 10, width_of(name, REGULAR, 10) * 0.6)
    assert len(lines) == 2
    assert " ".join(lines) == name


@needs_dejavu
@pytest.mark.parametrize("word", ["x" * 300, "م" * 200, "Наталья" * 20, "שָׁ" * 60])
def test_a_long_word_is_broken_and_nothing_is_lost(word: str) -> None:
    lines = broken(word, REGULAR, 10, 100)
    assert "".join(lines) == word
    assert max(width_of(line, REGULAR, 10) for line in lines) <= 100
    assert not any(unicodedata.combining(line[0]) for line in lines)


@needs_dejavu
@needs(SYMBOLA)
def test_a_picture_is_printed_beside_the_name() -> None:
    assert [(run.font, run.shown) for run in runs("Zoé 🦊", REGULAR, 10)] == [
        (REGULAR, "Zoé "),
        (SYMBOLA, "🦊"),
    ]
    assert Losses().printable("Zoé 🦊❤️🧜‍♀️") == "Zoé 🦊❤🧜\u200d♀"


@pytest.mark.parametrize(
    ("char", "file"),
    [
        pytest.param("ሰ", "noto/NotoSansEthiopic-Regular.ttf", id="Tigrinya"),
        pytest.param("प", "noto/NotoSansDevanagari-Regular.ttf", id="Hindi"),
        pytest.param("ব", "noto/NotoSansBengali-Regular.ttf", id="Bengali"),
        pytest.param("王", DROID, id="Chinese"),
    ],
)
def test_other_scripts_have_a_font_where_it_is_installed(char: str, file: str) -> None:
    if not (FONTS / file).exists():
        pytest.skip(f"{file} is not installed")  # as above
    assert font_of(char, REGULAR) == file


@needs_dejavu
@needs("noto/NotoSansDevanagari-Regular.ttf")
def test_the_letters_of_a_word_are_shaped_together() -> None:
    alone = sum(width_of(char, REGULAR, 10) for char in "प्रिया")
    assert width_of("प्रिया", REGULAR, 10) < 0.8 * alone


@needs_dejavu
@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", "Characters that could not be printed: 2. Each is shown as □."),
        ("fr", "Caractères impossibles à imprimer : 2. Chacun est remplacé par □."),
    ],
)
def test_what_no_font_has_is_counted_on_the_paper(language: str, told: str) -> None:
    name = "Zoé \ue123\ue124"
    on_sheet = printed(sheet([replace(ROW, name=name)], language))
    on_certificate = printed(certificate(replace(CERTIFICATE, name=name), language))
    for page in (on_sheet, on_certificate):
        assert "Zoé □□" in page
        assert told in page


def test_control_a_paper_that_lost_nothing_says_nothing() -> None:
    for page in (printed(sheet([ROW], "en")), printed(certificate(language="en"))):
        assert ROW.name in page.replace("\n", " ")
        assert "could not be printed" not in page
