"""Labels of machines as PDF: eight to a sheet, any name, one page of its own size."""

from __future__ import annotations

import pytest
import segno

from fabctl.services.label_paper import Label, labels_pdf

LAB = "Fab Lab La Casemate"
NAMES = (
    "Laser",
    "Machine au nom vraiment très long pour une petite étiquette de laboratoire",
    "Anticonstitutionnellement" * 6,
    "Brodeuse 🙂 <script>",
)


def label(name: str) -> Label:
    address = "https://machines.fablab.example/m/" + "a" * 48
    code = segno.make(address, error="q", micro=False)
    return Label(name, address, tuple(tuple(bool(dot) for dot in row) for row in code.matrix))


@pytest.mark.parametrize("name", NAMES)
def test_every_name_makes_a_label(name: str) -> None:
    made = labels_pdf([label(name)], lab=LAB, language="fr", single=True)
    assert made.startswith(b"%PDF-")
    assert made.count(b"/MediaBox [ 0 0 269.2913 187.0866 ]") == 1


@pytest.mark.parametrize(("labels", "sheets"), [(1, 1), (8, 1), (9, 2), (17, 3)])
def test_eight_to_a_sheet(labels: int, sheets: int) -> None:
    made = labels_pdf([label("Laser")] * labels, lab=LAB, language="en", single=False)
    assert made.count(b"/MediaBox [ 0 0 595.2756 841.8898 ]") == sheets
