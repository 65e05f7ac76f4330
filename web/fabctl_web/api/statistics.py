"""Statistics for funders, for programs of the staff."""

from __future__ import annotations

from flask import jsonify
from werkzeug.wrappers import Response

from fabctl.model.statistics import Count, Table
from fabctl.services import statistics
from fabctl.services.statistics import YearView
from fabctl_web.api import reading
from fabctl_web.api.auth import api_area, caller
from fabctl_web.api.shape import Json
from fabctl_web.downloads import download
from fabctl_web.lab import current_lab
from fabctl_web.language import chosen_language

area = api_area("statistics")


@area.get("/statistics")
def of_year() -> Response:
    """Count who came in a year; groups of fewer than five people are null."""
    view = _year()
    parts = {"workshops": view.workshops, "reservations": view.reservations}
    return jsonify(
        {"year": view.year} | {name: [_table(one) for one in some] for name, some in parts.items()}
    )


@area.get("/statistics/csv")
def of_year_csv() -> Response:
    """Return the same for a spreadsheet."""
    view = _year()
    from fabctl.services.statistics_papers import (  # noqa: PLC0415  # reportlab: 7 MB, seldom
        statistics_csv,
    )

    paper = statistics_csv(view, chosen_language())
    return download(paper, "text/csv; charset=utf-8", f"statistics-{view.year}.csv")


@area.get("/statistics/pdf")
def of_year_pdf() -> Response:
    """Return the same to print."""
    view = _year()
    from fabctl.services.statistics_papers import (  # noqa: PLC0415  # the same
        statistics_pdf,
    )

    paper = statistics_pdf(view, chosen_language(), current_lab().config.name)
    return download(paper, "application/pdf", f"statistics-{view.year}.pdf")


def _year() -> YearView:
    lab, who = current_lab(), caller().id
    with reading.query() as sent:
        year = sent.number("year", statistics.FIRST, statistics.LAST)
    with lab.db.reading() as db:
        return statistics.of_year(db, lab.config.time_zone, year=year, by=who)


def _table(table: Table) -> Json:
    groups = [{"group": one.key, "count": _count(one.count)} for one in table.groups]
    return {"by": table.name, "groups": groups, "total": _count(table.total)}


def _count(count: Count | None) -> Json | None:
    if count is None:
        return None
    return {"visits": count.visits, "people": count.people, "hours": count.hours}
