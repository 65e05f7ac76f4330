"""The house at the desk: rules, hours, closures, resources, statistics; and the statement."""

from __future__ import annotations

from tests.browser.conftest import Served
from tests.browser.shown import Area, Shown
from tests.house_scene import house_scene


def fill(served: Served) -> dict[str, str]:
    """Set much of everything."""
    return {"year": str(house_scene(served.lab).year)}


AREA = Area(
    "staff-house",
    fill,
    (
        Shown("/accessibilite"),
        Shown("/accessibilite", "camille", desk=True),
        *(
            Shown(path, "sasha", desk=True)
            for path in (
                "/staff/policies",
                "/staff/policies?place=printer-a",
                "/staff/policies?words=xyz",
                "/staff/policies/lab",
                "/staff/policies/resource/printer-a",
                "/staff/hours",
                "/staff/hours/salle",
                "/staff/closures",
                "/staff/resources",
                "/staff/resources/printer-a",
                "/staff/resources/salle",
                "/staff/maintenance",
                "/staff/pools/etablis",
                "/staff/pools/new",
                "/staff/statistics?year={year}",
                "/staff/statistics",
            )
        ),
    ),
)
