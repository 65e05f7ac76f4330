"""Statistics for funders, for programs of the staff."""

from __future__ import annotations

from flask import jsonify
from werkzeug.wrappers import Response

from fabctl.model.statistics import Count, Table
from fabctl.services import statistics
from fabctl_web.api import reading
from fabctl_web.api.auth import api_area, caller
from fabctl_web.api.shape import Json
from fabctl_web.lab import current_lab

area = api_area("statistics")


@area.get("/statistics")
def of_year() -> Response:
    """Count who came in a year; groups of fewer than five people are null."""
    lab, who = current_lab(), caller().id
    with reading.query() as sent:
        year = sent.number("year", statistics.FIRST, statistics.LAST)
    with lab.db.reading() as db:
        view = statistics.of_year(db, lab.config.time_zone, year=year, by=who)
    parts = {"workshops": view.workshops, "reservations": view.reservations}
    return jsonify(
        {"year": view.year} | {name: [_table(one) for one in some] for name, some in parts.items()}
    )


def _table(table: Table) -> Json:
    groups = [{"group": one.key, "count": _count(one.count)} for one in table.groups]
    return {"by": table.name, "groups": groups, "total": _count(table.total)}


def _count(count: Count | None) -> Json | None:
    if count is None:
        return None
    return {"visits": count.visits, "people": count.people, "hours": count.hours}
