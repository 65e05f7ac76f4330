"""The house at the desk: rules, hours, closures, resources, statistics; and the statement."""

from __future__ import annotations

from fabctl.services import problems, repairs
from tests.browser.conftest import Served
from tests.browser.shown import Area, Shown
from tests.house_scene import house_scene


def fill(served: Served) -> dict[str, str]:
    """Set much of everything; something is reported of the first machine, and one has it."""
    year = str(house_scene(served.lab).year)
    lab, staff = served.lab, served.lab.id_of("sasha")
    with lab.db.transaction() as db:
        for words in ("La courroie de l’axe X frotte et fait un bruit aigu.", "La buse goutte."):
            made = problems.report_problem(
                db, lab.clock, resource_id="printer-a", summary=words, by=lab.id_of("camille")
            )
        repairs.take_on(db, lab.clock, problem_id=made.id, words="", by=staff)
    return {"year": year}


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
