"""The web application: pages, streams and API of one lab, wired together."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask, Response, jsonify, request
from flask.sessions import SecureCookieSessionInterface
from flask_wtf.csrf import CSRFProtect, generate_csrf  # type: ignore[import-untyped]  # it has no types
from markupsafe import Markup

from fabctl.clock import Clock
from fabctl.config import LabConfig
from fabctl.messaging.lab_view import LabView
from fabctl.services.sign_ins import LASTS, SignInKind
from fabctl.store.engine import Database
from fabctl_web import errors, headers, hosts, language, menu, static_files, uploads
from fabctl_web.api import (
    about,
    accounts,
    audit,
    badges,
    calendars,
    course_making,
    enrolments,
    guardians,
    house,
    jobs,
    notices,
    personal,
    policies,
    presence,
    reservations,
    resources,
    series,
    session_day,
    statistics,
    training,
    upkeep,
    upkeep_tasks,
    waiting,
    workshops,
)
from fabctl_web.api import machines as api_machines
from fabctl_web.api import people as api_people
from fabctl_web.board.bookings import Bookings
from fabctl_web.board.views import area as board_area
from fabctl_web.interlocks.views import area as interlocks_area
from fabctl_web.joining import area as joining_area
from fabctl_web.kiosks.areas import AREAS as KIOSK_AREAS
from fabctl_web.kiosks.paired import paired_screen
from fabctl_web.kiosks.taking import stick_folder
from fabctl_web.lab import AsksMachines, Lab, current_lab
from fabctl_web.live import events
from fabctl_web.machines import areas as machine_areas
from fabctl_web.machines import rooms as machine_rooms
from fabctl_web.metrics import views as metrics
from fabctl_web.people import signed_in
from fabctl_web.people.mine import unread
from fabctl_web.people.outside import area as outside_area
from fabctl_web.people.outside import require_parts
from fabctl_web.people.views import area as people_area
from fabctl_web.planning.areas import AREAS as PLANNING_AREAS
from fabctl_web.staff.areas import AREAS as STAFF_AREAS
from fabctl_web.staff_house.areas import AREAS as HOUSE_AREAS
from fabctl_web.training.areas import AREAS as TRAINING_AREAS
from fabctl_web.workshops.areas import AREAS as WORKSHOP_AREAS

API_AREAS = (
    about.area, api_machines.area, resources.area, reservations.area, series.area, waiting.area,
    calendars.area, jobs.area, api_people.area, badges.area, guardians.area,
    accounts.area, policies.area, house.area, presence.area, audit.area,
    training.area, course_making.area, workshops.area, enrolments.area, session_day.area,
    statistics.area, personal.area,
    upkeep.area, upkeep_tasks.area, notices.area,
)  # fmt: skip
TEMPLATES = Path(__file__).parent / "templates"


def create_app(
    config: LabConfig,
    db: Database,
    lab_view: LabView,
    requests: AsksMachines,
    clock: Clock,
    secret: bytes,
) -> Flask:
    """Return the application of one lab.

    :param requests: asks machines for something; see :class:`fabctl_web.lab.AsksMachines`.
    :param secret: the lab's secret (``secret.key``): signs cookies, keys the PINs' hashes.
    """
    require_parts(config.web.oidc)
    app = Flask("fabctl_web", static_folder=None, template_folder=str(TEMPLATES))
    files = static_files.load()
    lab = Lab(config, db, lab_view, requests, clock, secret, Bookings(db, clock), files)
    app.extensions["fabctl"] = lab
    _set_up_sessions(app, secret)
    metrics.init_app(app, lab)
    hosts.init_app(app, config.web)
    uploads.init_app(app, config.paths.tmp)
    language.init_app(app)
    signed_in.init_app(app)
    csrf = CSRFProtect(app)
    for api_area in API_AREAS:
        csrf.exempt(api_area)  # tokens in a header: no browser sends them by itself
    csrf.exempt(joining_area)
    headers.init_app(app)
    errors.init_app(app)
    _set_up_templates(app, lab)
    app.extensions["fabctl-fragments"] = events.init_app(lab, app.jinja_env)
    machine_rooms.init_app(app, lab)
    areas = (
        board_area,
        *machine_areas.AREAS,
        interlocks_area,
        people_area,
        outside_area,
        *KIOSK_AREAS,
        *PLANNING_AREAS,
    )
    pages = (*areas, *WORKSHOP_AREAS, *STAFF_AREAS, *HOUSE_AREAS, *TRAINING_AREAS)
    own = (joining_area, events.area, static_files.blueprint(files), metrics.area, _health())
    for area in (*pages, *API_AREAS, *own):
        app.register_blueprint(area)
    return app


class Sessions(SecureCookieSessionInterface):
    """Signed cookies, marked Secure wherever the page came over TLS."""

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002  # Flask's signature
        """Say whether this answer's cookie may travel over TLS only."""
        return request.is_secure


def _set_up_sessions(app: Flask, secret: bytes) -> None:
    app.secret_key = hashlib.sha256(b"fabctl-web-cookies\n" + secret).digest()
    app.session_interface = Sessions()
    app.config.update(
        SESSION_COOKIE_NAME="fabctl",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(days=30),
        WTF_CSRF_TIME_LIMIT=None,  # as old as its session: a wall screen stays open for days
        MAX_FORM_PARTS=20,
    )


def _set_up_templates(app: Flask, lab: Lab) -> None:
    env = app.jinja_env
    env.trim_blocks = env.lstrip_blocks = True
    env.globals.update(
        icon=lambda name: _icon(lab, name),
        token=lambda: Markup('<input type="hidden" name="csrf_token" value="{}">').format(
            generate_csrf()
        ),
        static=lab.files.address,
        lab_name=lab.config.name,
        lab_zone=lab.config.time_zone.key,
        session_s=int(LASTS[SignInKind.KIOSK].total_seconds()),
        warn_s=signed_in.KIOSK_WARN_S,
        longest_s=signed_in.KIOSK_LONGEST_S,
    )
    app.context_processor(_who)


def _who() -> dict[str, Any]:
    person, kiosk = signed_in.signed_in(), signed_in.is_kiosk()
    return {
        "person": person,
        "kiosk": kiosk,
        "screen": paired_screen(),
        "stick": lambda: stick_folder() is not None,
        "menu": lambda: menu.groups(person, kiosk=kiosk),
        "said": language.speech(),
        "is_here": menu.is_here,
        "may_change_device": signed_in.may_change_device(),
        "unread": unread,
    }


def _icon(lab: Lab, name: str) -> Markup:
    sprite = lab.files.address("vendor/icons.svg")
    return Markup(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>'
    ).format(sprite, name)


def _health() -> Blueprint:
    area = Blueprint("health", __name__)

    @area.get("/health")
    def health() -> Response:
        """Say that the web answers; screens ask before they load themselves again."""
        lab = current_lab()
        heard = sum(lab.machine(machine).age_s is not None for machine in lab.config.machines)
        body = {"ok": True, "machines_heard": heard, "streams": lab.hub.streams}
        return jsonify(body)

    return area
