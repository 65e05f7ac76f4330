"""Printed labels: a QR code on each machine that opens its page on a phone. For the staff."""

from __future__ import annotations

from collections.abc import Sequence

import segno
from flask import Blueprint, abort, render_template, request, url_for
from werkzeug.wrappers import Response

from fabctl_web.lab import Lab, current_lab
from fabctl_web.language import speech
from fabctl_web.machines.qr import page_address
from fabctl_web.pages import page
from fabctl_web.people.signed_in import staff_needed

area = Blueprint("labels", __name__, template_folder="templates")


@page(area, "/staff/labels")
def labels() -> str:
    """Offer the labels of all machines."""
    staff_needed()
    lab = current_lab()
    found = [
        {"id": id_, "name": machine.name, "address": _address(lab, id_)}
        for id_, machine in lab.config.machines.items()
    ]
    reachable = all(one["address"] for one in found)
    return render_template("machines/labels.html", labels=found, reachable=reachable)


@area.get("/staff/labels/sheet.pdf")
def sheet() -> Response:
    """Return sheets of labels; ``?machine=`` names which (several), all of them by default."""
    staff_needed()
    lab = current_lab()
    wanted = request.args.getlist("machine") or list(lab.config.machines)
    chosen = [id_ for id_ in lab.config.machines if id_ in wanted]
    if not chosen:
        abort(404)
    return _printed(lab, chosen, single=False)


@area.get("/staff/labels/<machine>.pdf")
def single(machine: str) -> Response:
    """Return one machine's label, on a page of its own size."""
    staff_needed()
    lab = current_lab()
    lab.profile(machine)
    return _printed(lab, [machine], single=True)


def _printed(lab: Lab, machines: Sequence[str], *, single: bool) -> Response:
    # reportlab is needed for this page alone.
    from fabctl.services.label_paper import Label, labels_pdf  # noqa: PLC0415

    found = []
    for id_ in machines:
        address = _address(lab, id_)
        if address is None:
            abort(404)
        dots = tuple(tuple(bool(dot) for dot in row) for row in _code(address).matrix)
        found.append(Label(lab.config.machines[id_].name, address, dots))
    made = labels_pdf(found, lab=lab.config.name, language=speech().language, single=single)
    name = f"{machines[0]}.pdf" if single else "labels.pdf"
    headers = {"Content-Disposition": f'inline; filename="{name}"'}
    return Response(made, content_type="application/pdf", headers=headers)


def _code(address: str) -> segno.QRCode:
    return segno.make(address, error="q", micro=False)


def _address(lab: Lab, machine: str) -> str | None:
    return page_address(lab, url_for("machines.page", machine=machine))
