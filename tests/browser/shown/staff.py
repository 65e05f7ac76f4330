"""The staff's pages: today, people and one record, a list of people, groups, audit, health."""

from __future__ import annotations

from tests.browser.conftest import Served
from tests.browser.shown import Area, Shown
from tests.staff_scene import morning


def fill(served: Served) -> dict[str, str]:
    """Fill a morning on which much has happened."""
    scene = morning(served.lab)
    served.lab.workshop.say("printer-a", "broken", trouble="interrupted")
    served.lab.workshop.say("printer-c", "offline")
    served.inner.bookings.forget()
    return {
        "lou": scene.people["lou"],
        "mia": scene.people["mia"],
        "long": scene.people["long"],
        "omar": scene.people["omar"],
        "root": scene.people["root"],
        "group": scene.group,
    }


AREA = Area(
    "staff",
    fill,
    (
        Shown("/staff/today?came=mi", "sasha", desk=True),
        Shown("/staff/today?words=xyz", "root", desk=True),
        Shown("/staff/people", "sasha", desk=True),
        Shown("/staff/people/{mia}", "sasha", desk=True),
        Shown("/staff/people/{long}", "root", desk=True),
        Shown("/staff/people/{omar}?words=mia", "root", desk=True),
        Shown("/staff/people/{root}", "sasha", desk=True),
        Shown("/staff/people/{lou}/consent", "sasha", desk=True),
        Shown("/staff/people/import", "sasha", desk=True),
        Shown("/staff/groups", "sasha", desk=True),
        Shown("/staff/groups/{group}?words=o", "sasha", desk=True),
        Shown("/staff/audit?words=mi", "sasha", desk=True),
        Shown("/staff/audit?subject=person:{mia}", "sasha", desk=True),
        Shown("/staff/health", "sasha", desk=True),
        Shown("/staff/today", "sasha"),
    ),
)
