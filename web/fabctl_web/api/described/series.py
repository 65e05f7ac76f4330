"""Weekly series of reservations, as the API describes them."""

from __future__ import annotations

from fabctl_web.api.described.reservations import ACCOUNT, REASON
from fabctl_web.api.operations import (
    NOT_FOUND,
    REFUSED,
    answer,
    operation,
    path_id,
    refusal,
    sent,
)
from fabctl_web.api.schemas import DAY, FILLED, INSTANT, TEXT, Json, list_of, record, ref

UNREADABLE = refusal("The request is malformed, or names no resource of the lab.")

PATHS: Json = {
    "/series/proposals": {
        "post": operation(
            "proposeSeries",
            "Say which dates of a weekly series could be booked, and why the others not. "
            "Nothing is booked.",
            {
                "200": answer("Every date, on one of two lists.", ref("SeriesProposal")),
                "404": NOT_FOUND,
                "409": REFUSED,
                "422": UNREADABLE,
            },
            requestBody=sent("SeriesRequest"),
        )
    },
    "/series": {
        "post": operation(
            "bookSeries",
            "Book the same time every week, on the wall clock. Where dates are refused, nothing "
            "is booked unless `book_the_rest` is true.",
            {
                "201": answer("Booked, with the dates that were not.", ref("Series")),
                "409": answer(
                    "Refused; nothing was booked. Where single dates are in the way: which.",
                    ref("RefusedSeries"),
                ),
                "404": NOT_FOUND,
                "422": UNREADABLE,
            },
            requestBody=sent("SeriesBooking"),
        )
    },
    "/series/{series}": {
        "parameters": [path_id("series", "The series' id.")],
        "delete": operation(
            "cancelSeries",
            "Cancel all dates that have not begun; all of them or none.",
            {
                "200": answer("What was cancelled.", ref("CancelledSeries")),
                "404": NOT_FOUND,
                "409": REFUSED,
                "422": refusal("The request is malformed."),
            },
            parameters=[REASON],
        ),
    },
}

_WANTED: Json = {
    "resource": FILLED,
    "start": INSTANT | {"description": "Of the first date."},
    "end": INSTANT,
    "weeks": {"type": "integer", "minimum": 2, "maximum": 60},
    "account": ACCOUNT,
}

SCHEMAS: Json = {
    "SeriesRequest": record(_WANTED, optional=("account",)),
    "SeriesBooking": record(
        {**_WANTED, "book_the_rest": {"type": "boolean"}}, optional=("account", "book_the_rest")
    ),
    "Slot": record({"start": INSTANT, "end": INSTANT}),
    "RefusedSeriesDate": record({"date": DAY, "refusals": list_of("Refusal") | {"minItems": 1}}),
    "SeriesProposal": record(
        {"possible": list_of("Slot"), "refused": list_of("RefusedSeriesDate")}
    ),
    "Series": record(
        {
            "series": TEXT,
            "reservations": list_of("Reservation"),
            "refused": list_of("RefusedSeriesDate"),
        }
    ),
    "RefusedSeries": record(
        {"refusals": list_of("Refusal") | {"minItems": 1}, "refused": list_of("RefusedSeriesDate")},
        optional=("refused",),
    ),
    "CancelledSeries": record({"reservations": list_of("Reservation")}),
}
