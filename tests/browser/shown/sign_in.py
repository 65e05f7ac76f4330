"""Signing in with too many wrong codes, pairing a screen, the staff's screens and badges."""

from __future__ import annotations

from fabctl.model.screens import ScreenSettings
from fabctl.services import badges, people, screens
from tests.browser.conftest import Served
from tests.browser.shown import Area, Shown
from tests.web_lab import SECRET

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
        screens.pair(db, lab.clock, SECRET, screen_id="entree", code=code)
        for number in ("0012345678", "04A2B9C1"):
            badges.add_badge(db, lab.clock, SECRET, person_id=guest.id, number=number, by=staff.id)
    return {"person": guest.id, "screen": "atelier"}


AREA = Area(
    "sign_in",
    fill,
    (
        Shown("/in"),
        Shown("/kiosk/{screen}"),
        Shown("/staff/screens", "sasha", desk=True),
        Shown("/staff/badges", "sasha", desk=True),
        Shown("/staff/badges?words=xyz", "sasha", desk=True),
        Shown("/staff/badges/{person}", "sasha", desk=True),
    ),
)
