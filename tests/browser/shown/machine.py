"""A machine's page in every state of its day: plot, pictures, camera, problems; the labels."""

from __future__ import annotations

import math
from dataclasses import replace

from fabctl.model.upkeep import ProblemKind
from fabctl.ports import MachineKind, WorkArea
from fabctl.services import jobs, problems, repairs
from fabctl.services.people import get_person
from fabctl_web.machines.camera import Camera, Snapshot
from fabctl_web.machines.history import Row
from fabctl_web.machines.rooms import KEY, Rooms
from fabctl_web.machines.trails import EVERY_S, Point
from tests.browser.conftest import Served
from tests.browser.shown import Area, Shown
from tests.gcode_pictures import TAG, TAG_LINES, png, with_thumbnail
from tests.web_lab import GOOD_FILE

LONG_NAME = "support_de_velo_pour_le_garage_de_la_maison_version_finale_2_corrigee.gcode"


class StillCamera(Camera):
    """A camera that shows the same all day."""

    def _ask(self) -> Snapshot:
        return Snapshot("image/png", png(320, 240), self._clock.monotonic())


def rooms_of(served: Served) -> Rooms:
    found = served.lab.app.extensions[KEY]
    assert isinstance(found, Rooms)
    return found


def reachable(served: Served) -> None:
    """Let the lab have an address that phones reach: QR codes and labels say it."""
    inner = served.inner
    web = replace(inner.config.web, public_url="https://machines.fablab.example")
    served.lab.app.extensions["fabctl"] = replace(inner, config=replace(inner.config, web=web))


def fill(served: Served) -> dict[str, str]:
    """Camille prints on the first machine, has two files ready for the second, and more."""
    lab, workshop = served.lab, served.lab.workshop
    reachable(served)
    lab.person("staff", role="staff")
    plain = TAG.read_bytes()
    pictured = with_thumbnail(plain, png(220, 124), 220, 124)
    camille = lab.browser()
    camille.sign_in("camille")
    camille.upload(pictured, LONG_NAME, page="/m/printer-b")
    camille.upload(plain, "porte-clés.gcode", page="/m/printer-b")
    camille.upload(pictured, LONG_NAME, page="/m/printer-a")
    camille.upload(GOOD_FILE, "a.gcode", page="/m/printer-d")
    person = lab.id_of("camille")
    with lab.db.reading() as db:
        mine, holder = jobs.jobs_of_person(db, person_id=person), get_person(db, person)
    job = next(one.id for one in mine if one.resource_id == "printer-a")
    lab.book(holder, "printer-a")
    camille.post("/m/printer-a/start", {"job": job}, page="/m/printer-a")
    workshop.progress("printer-a", job, 0.43, eta_s=5400, lines=TAG_LINES)
    heat_up(served, "printer-a")
    workshop.temperatures(
        "printer-a", nozzle_c=214.6, nozzle_target_c=215, bed_c=60, bed_target_c=60
    )
    for machine in ("printer-a", "printer-b"):
        rooms_of(served).cameras[machine] = StillCamera("http://camera.test/", lab.clock)
    workshop.telemetry("printer-a", "position", x_mm=120.4, y_mm=98, z_mm=14.2)
    mill(served, "printer-d")
    workshop.say("printer-c", "pausing", job="j2")
    with lab.db.transaction() as db:
        for kind, words, stop in (
            (ProblemKind.DAMAGED, "La courroie de l’axe X frotte et fait un bruit aigu.", True),
            (ProblemKind.DIRTY, "", False),
        ):
            made = problems.report_problem(
                db,
                lab.clock,
                resource_id="printer-b",
                summary="Abîmée ou en panne" if stop else "Sale ou en désordre",
                details=words,
                kind=kind,
                stop_machine=stop,
                by=person,
            )
        staff = lab.id_of("staff")
        repairs.take_on(db, lab.clock, problem_id=made.id, words="", by=staff)
    served.inner.booked_anew("printer-b")
    return {"job": job}


def heat_up(served: Served, machine: str) -> None:
    """Give a machine the last forty minutes of a print."""
    history, now = rooms_of(served).history, served.lab.clock.now().timestamp()
    for n in range(480):
        nozzle, bed = min(215.0, 22 + n * 2.2), min(60.0, 22 + n * 0.5)
        values = (nozzle, 215.0, bed, 60.0, max(0.0, (n - 90) / 900))
        history.keep(machine, Row(now - (480 - n) * 5.0, values))


def mill(served: Served, machine: str) -> None:
    """Make a machine a mill, moved by hand for eight minutes, as Grbl tells it."""
    machines = served.inner.config.machines
    assert isinstance(machines, dict)
    machines[machine] = replace(
        machines[machine], kind=MachineKind.MILL, driver="grbl",
        work_area=WorkArea((-400, 0), (-300, 0), (-80, 0)),
    )  # fmt: skip
    workshop, trails = served.lab.workshop, rooms_of(served).trails
    points = []
    for n in range(240):
        turn, far = n / 12, 20 + n / 2.5
        points.append((-200 + far * math.cos(turn), -150 + far * math.sin(turn)))
    x, y = points[-1]
    told = {"machine_x_mm": x, "machine_y_mm": y, "machine_z_mm": -12.5}
    workshop.telemetry(machine, "position", x_mm=x + 350.0, y_mm=y + 280.0, z_mm=-1.5, **told)
    workshop.telemetry(machine, "feed", feed_mm_per_min=1200)
    workshop.telemetry(machine, "power", power=12000, spindle=1)
    now = served.lab.clock.monotonic()
    before = (Point(now - (240 - n) * EVERY_S, *point) for n, point in enumerate(points))
    trails.begin(machine, before)


AREA = Area(
    "machine",
    fill,
    (
        Shown("/m/printer-a"),
        Shown("/m/printer-a", "camille"),
        Shown("/m/printer-b", "camille"),
        Shown("/m/printer-c", "camille"),
        Shown("/m/printer-d", "camille"),
        Shown("/m/printer-a/problem"),
        Shown("/m/printer-a/problem", "camille"),
        Shown("/m/printer-a/problem", "staff", desk=True),
        Shown("/m/printer-a", "staff", desk=True),
        Shown("/m/printer-b"),
        Shown("/m/printer-b", "staff", desk=True),
        Shown("/staff/labels", "staff", desk=True),
    ),
)
