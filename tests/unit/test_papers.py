"""Attendance sheets and certificates: accents, embedded fonts, long lists, hostile names."""

from __future__ import annotations

import csv
import io
import re
import zlib
from base64 import a85decode
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

from fabctl.model.attendance import Presence
from fabctl.services.attendance import SheetRow
from fabctl.services.attendance_papers import attendance_csv, attendance_pdf
from fabctl.services.certificate_paper import certificate_pdf
from fabctl.services.certificates import CertificateView
from fabctl.services.papers import BOLD, REGULAR, SHIPPED, Losses
from fabctl.services.workshops import SessionView

PARIS = ZoneInfo("Europe/Paris")
START = datetime(2026, 11, 24, 21, 0, tzinfo=UTC)
ACCENTS = "Zoé Lefèvre à Besançon, sœur, 12 €"

SESSION = SessionView(
    id="s",
    workshop_id="w",
    title="Atelier découpe",
    start=START,
    end=START + timedelta(hours=3),
    places=10,
    held=2,
    waiting=0,
    resource_ids=(),
    animators=(),
    cancelled_at=None,
    series_id=None,
)
ROW = SheetRow(
    enrolment_id="e",
    person_id="p",
    name=ACCENTS,
    partner="Centre social",
    birth_year=2011,
    presence=Presence.LATE,
    consent=True,
    image_rights=False,
    guardian_name="Fatou N.",
    guardian_phone="06 12 34 56 78",
    passed=True,
)
CERTIFICATE = CertificateView(
    id="abcdefghijkl",
    person_id="p",
    name=ACCENTS,
    title="Atelier découpe",
    held_on=date(2026, 11, 24),
    hours=2.5,
    issued_at=START,
)


def streams(pdf: bytes) -> list[bytes]:
    """Return the contents of a PDF file's streams, unpacked (PDF 32000-1:2008, 7.4)."""
    found = []
    pattern = rb"<<(.*?)>>\s*stream\r?\n(.*?)endstream"
    for head, body in re.findall(pattern, pdf, re.DOTALL):
        raw = a85decode(b"<~" + body.strip(), adobe=True) if b"ASCII85" in head else body
        found.append(zlib.decompressobj().decompress(raw) if b"FlateDecode" in head else raw)
    return found


def written(pdf: bytes) -> set[str]:
    """Return every character that a PDF's fonts give back: what a reader copies and searches.

    From the fonts' ToUnicode maps (PDF 32000-1:2008, 9.10.3), ``bfrange`` with an array or not.
    """
    known: set[str] = set()
    for stream in streams(pdf):
        if b"begincmap" not in stream:
            continue
        for part in re.findall(rb"beginbf(?:range|char)(.*?)endbf", stream, re.DOTALL):
            array = re.findall(rb"\[(.*?)\]", part, re.DOTALL)
            codes = re.findall(rb"<([0-9A-Fa-f]{4})>", b" ".join(array) or part)
            known |= {chr(int(code, 16)) for code in codes}
    return known


def pages(pdf: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf))


def sheet(rows: list[SheetRow], language: str = "fr") -> bytes:
    return attendance_pdf(SESSION, rows, PARIS, language, "Le Lab de Nantes")


def certificate(view: CertificateView = CERTIFICATE, language: str = "fr") -> bytes:
    return certificate_pdf(view, lab="Le Lab de Nantes", language=language)


@pytest.mark.parametrize("pdf", [sheet([ROW]), certificate()], ids=["sheet", "certificate"])
def test_accents_are_in_the_file_and_so_are_the_fonts(pdf: bytes) -> None:
    assert set("éèàçœ€") <= written(pdf)
    assert b"/FontFile2" in pdf
    assert pdf.startswith(b"%PDF-")


def test_control_a_name_without_accents_puts_none_into_the_file() -> None:
    plain = replace(CERTIFICATE, name="Tom", title="Laser")
    assert not set("œ€") & written(certificate(plain, "en"))


def test_the_font_that_reportlab_brings_writes_french_too() -> None:
    for file in ("Vera.ttf", "VeraBd.ttf"):
        face = TTFont(file, str(SHIPPED / file)).face
        assert {ord(one) for one in "éèêëàâçîïôùûüÿœæŒÉÀÇ€’«»–"} <= set(face.charToGlyph)


def test_a_certificate_is_one_page_and_a_long_name_is_not_cut() -> None:
    long = replace(CERTIFICATE, name="Zoé " * 60, title="Découpe " * 40)
    assert pages(certificate(long)) == pages(certificate()) == 1
    assert pdfmetrics.stringWidth("Zoé", REGULAR, 10) > 0


def test_a_sheet_of_200_names_goes_over_several_pages() -> None:
    rows = [replace(ROW, name=f"Élève {number}") for number in range(200)]
    assert pages(sheet([ROW])) == 1
    assert 5 <= pages(sheet(rows)) <= 20
    assert pages(sheet([])) == 1


@pytest.mark.parametrize(
    "name",
    [
        "<b>bold</b> & Söhne",
        "<para><font size=900>",
        "Zoé 🦊",
        "مريم",
        "a\nb\tc\x00",
        "",
        "x" * 500,
    ],
)
def test_any_name_can_be_printed(name: str) -> None:
    assert pages(sheet([replace(ROW, name=name, partner=name, guardian_name=name)])) >= 1
    assert pages(certificate(replace(CERTIFICATE, name=name, title=name or "?"))) == 1


def test_what_the_font_cannot_write_is_shown_as_a_box() -> None:
    losses = Losses()
    assert losses.printable("Zoé \ue123\x00") == "Zoé □□"
    assert losses.printable("a\n b\t c", BOLD) == "a b c"
    assert losses.count == 2


def test_both_languages_are_whole() -> None:
    def heads(language: str) -> list[str]:
        return attendance_csv([], language).lstrip("\ufeff").strip().split(";")

    assert heads("en")[0] == "Name"
    assert heads("fr")[0] == "Nom"
    assert len(heads("fr")) == len(heads("en")) == 7


def test_the_csv_opens_in_a_spreadsheet() -> None:
    text = attendance_csv([ROW, replace(ROW, name="", presence=None, birth_year=None)], "fr")
    assert text.startswith("\ufeff")
    assert text.count("\r\n") == 3
    rows = list(csv.reader(io.StringIO(text.lstrip("\ufeff")), delimiter=";"))
    assert rows[1] == [
        ACCENTS, "2011", "Centre social", "en retard", "oui", "non", "Fatou N. 06 12 34 56 78",
    ]  # fmt: skip
    assert rows[2][:4] == ["(nom à venir)", "", "Centre social", ""]


@pytest.mark.parametrize("name", ["=1+1", "+33", "-1", "@SUM(A1)", "\t=1"])
def test_no_cell_of_the_csv_is_a_formula(name: str) -> None:
    text = attendance_csv([replace(ROW, name=name)], "en").lstrip("\ufeff")
    cell = next(csv.reader(io.StringIO(text.split("\r\n", 1)[1]), delimiter=";"))[0]
    assert cell == f"'{name}"
