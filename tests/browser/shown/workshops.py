"""Workshops: the list, a session as everybody sees it, consents, the console, the desk."""

from __future__ import annotations

from fabctl.services import enrolments, needs
from tests.browser.conftest import Served
from tests.browser.shown import Area, Shown
from tests.workshop_scene import Scene, enrol, workshop_scene


def fill(served: Served) -> dict[str, str]:
    """Fill a session that runs, with somebody who waits and somebody who was offered a place."""
    scene = workshop_scene(served.lab)
    with scene.lab.db.transaction() as db:
        enrol(scene, db, scene.full, scene.id("gil"), by="gil")
        taken = scene.places["Mo"]
        enrolments.cancel_enrolment(db, scene.lab.clock, enrolment_id=taken, by=scene.id("mo"))
        enrol(scene, db, scene.coming, scene.id("mo"), by="mo")
        needs.write_needs(
            db,
            scene.lab.clock,
            enrolment_id=scene.places["Bilal"],
            needs="Allergie aux arachides. " * 8,
            by=scene.id("ana"),
        )
    _mark(scene)
    return {
        "running": scene.running,
        "coming": scene.coming,
        "full": scene.full,
        "workshop": scene.workshop,
        "child": scene.child,
        "pia": scene.id("pia"),
        "minor": scene.minor,
    }


def _mark(scene: Scene) -> None:
    """Let two people be there, one of whom passed and has a certificate."""
    ana = scene.lab.browser()
    ana.sign_in("ana")
    page = f"/workshops/{scene.running}/console"
    for name, presence in (("Bilal", "present"), ("Driss", "absent"), ("Élise", "late")):
        fields = {"enrolment": scene.places[name], "presence": presence}
        ana.post(f"/workshops/{scene.running}/mark", fields, page=page)
    ana.post(f"/workshops/{scene.running}/notes", {"note": "Deux buses bouchées. " * 9}, page=page)
    fields = {"passed": scene.places["Bilal"], "what": "award"}
    ana.post(page, fields, page=page)


AREA = Area(
    "workshops",
    fill,
    (
        Shown("/workshops"),
        Shown("/workshops/{coming}"),
        Shown("/workshops/{full}"),
        Shown("/workshops/{coming}", "pia"),
        Shown("/workshops/{coming}/consent/{child}", "pia"),
        Shown("/workshops/{coming}/consent/{pia}", "pia"),
        Shown("/workshops", "gil"),
        Shown("/workshops/{full}", "gil"),
        Shown("/workshops/{coming}", "gil"),
        Shown("/workshops", "ana"),
        Shown("/workshops/{running}/console", "ana"),
        Shown("/workshops/{running}/needs", "ana"),
        Shown("/workshops/{running}/consent/{minor}", "ana"),
        Shown("/workshops/{coming}/console", "ana", desk=True),
        Shown("/workshops/{running}/console", "mo"),
        Shown("/staff/workshops", "ana", desk=True),
        Shown("/staff/workshops/{workshop}", "sasha", desk=True),
        Shown("/staff/sessions/{coming}?words=a", "sasha", desk=True),
        Shown("/staff/sessions/{running}", "eve", desk=True),
    ),
)
