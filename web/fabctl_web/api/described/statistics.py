"""Statistics for funders, as the API describes them."""

from __future__ import annotations

from fabctl.model.statistics import DIVISIONS
from fabctl.services.statistics import FIRST, LAST
from fabctl_web.api.described.session_day import CSV, PDF
from fabctl_web.api.operations import MALFORMED, answer, operation, query
from fabctl_web.api.schemas import COUNT, TEXT, Json, list_of, record, ref

_HOURS: Json = {"type": "number", "minimum": 0}
_COUNTED: Json = {
    "description": "Null: fewer than five people, or it would tell how many these are.",
    "anyOf": [record({"visits": COUNT, "people": COUNT, "hours": _HOURS}), {"type": "null"}],
}
_YEAR = query(
    "year",
    "A calendar year.",
    {"type": "integer", "minimum": FIRST, "maximum": LAST},
    required=True,
)


def _counted(name: str, summary: str, found: Json) -> Json:
    return {"get": operation(name, summary, {"200": found, "422": MALFORMED}, parameters=[_YEAR])}


PATHS: Json = {
    "/statistics": _counted(
        "getStatistics",
        "Who came in a calendar year, in numbers: the staff.",
        answer("The numbers.", ref("Statistics")),
    ),
    "/statistics/csv": _counted("getStatisticsCsv", "The same for a spreadsheet.", CSV),
    "/statistics/pdf": _counted("getStatisticsPdf", "The same to print, for funders.", PDF),
}
SCHEMAS: Json = {
    "Statistics": record(
        {
            "year": {"type": "integer"},
            "workshops": list_of("StatisticsTable"),
            "reservations": list_of("StatisticsTable"),
        }
    ),
    "StatisticsTable": record(
        {
            "by": {"enum": list(DIVISIONS)},
            "groups": list_of("StatisticsGroup"),
            "total": _COUNTED,
        }
    ),
    "StatisticsGroup": record({"group": TEXT, "count": _COUNTED}),
}
