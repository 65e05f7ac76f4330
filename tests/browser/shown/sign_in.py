"""Signing in with too many wrong codes, pairing a screen, the staff's screens and badges."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from fabctl.model.screens import ScreenSettings
from fabctl.services import badges, people, screens
from tests.browser.conftest import Served
from tests.browser.shown import Area, Shown
from tests.web_lab import GOOD_FILE, SECRET

LONG = "L’écran à côté de la fraiseuse, dans la salle du fond au sous-sol"[:60]


def fill(served: Served) -> dict[str, str]:
    """Lock this screen's PIN pad; hang up two screens; give somebody badges."""
    lab = served.lab
    staff = lab.person("sasha", role="staff")
    name = "Maximilienne-Guillaumette de Saint-Barthélemy-d’Anjou"
    with lab.db.transaction() as db:
        guest = people.add_person(db, lab.clock, display_name=name)
        for _ in range(5):
            people.check_pin(db, lab.clock, SECRET, "000007", "127.0.0.1")
        for screen, wanted in (
            ("entree", ScreenSettings(LONG, 120, 60, (22 * 60, 7 * 60), "/planning")),
            ("atelier", ScreenSettings("Atelier")),
        ):
            screens.add_screen(db, lab.clock, screen_id=screen, wanted=wanted, by=staff.id)
        code = screens.new_code(db, lab.clock, SECRET, screen_id="entree", by=staff.id)
        screens.pair(db, lab.clock, SECRET, screen_id="entree", code=code, address="::1")
        for number in ("0012345678", "04A2B9C1"):
            badges.add_badge(db, lab.clock, SECRET, person_id=guest.id, number=number, by=staff.id)
    _stick(served)
    return {"person": guest.id, "screen": "atelier", "machine": "printer-a"}


def _stick(served: Served) -> None:
    """Plug a stick in beside this screen: a lab names its folder in lab.toml."""
    folder = served.lab.config.data_directory.parent / "stick"
    folder.mkdir()
    names = ("a_name_without_any_blank_" * 5, "porte-clés", "boîte de rangement pour les vis")
    for name in names:
        (folder / f"{name}.gcode").write_bytes(GOOD_FILE)
    cast("dict[str, Path]", served.lab.config.web.stick_folders)["127.0.0.1"] = folder


AREA = Area(
    "sign_in",
    fill,
    (
        Shown("/in"),
        Shown("/kiosk/{screen}"),
        Shown("/m/{machine}/stick", "camille"),
        Shown("/m/{machine}", "camille"),
        Shown("/staff/screens", "sasha", desk=True),
        Shown("/staff/badges", "sasha", desk=True),
        Shown("/staff/badges?words=xyz", "sasha", desk=True),
        Shown("/staff/badges/{person}", "sasha", desk=True),
    ),
)
