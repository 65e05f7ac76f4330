"""Forms that are refused come back with what was typed, and with every reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from flask import Response, make_response, request

from fabctl.errors import InputError, UnknownIdError
from fabctl.model.refusal import Refusal, RefusedError
from fabctl.model.texts import text
from fabctl_web.api.reading import MalformedError
from fabctl_web.forms import NOT_READ
from fabctl_web.language import speech

NOT_POSSIBLE = Refusal(
    "not-possible", text("This is not possible as it stands."), text("Look at the form again.")
)


class Kept:
    """Catches what forms and services refuse; the view then shows its form again.

    :param labels: what the page calls its fields, marked for the catalogue.
    :param otherwise: what to say of an input that a service cannot use.
    """

    def __init__(self, labels: Mapping[str, str], otherwise: Refusal = NOT_POSSIBLE) -> None:
        self.refusals: Sequence[Refusal] = ()
        self._labels, self._otherwise = labels, otherwise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _at: TracebackType | None,
    ) -> bool:
        if isinstance(error, MalformedError):
            self.refusals = [self._named(one) for one in error.refusals]
        elif isinstance(error, RefusedError):
            self.refusals = error.refusals
        elif isinstance(error, InputError) and not isinstance(error, UnknownIdError):
            self.refusals = [self._otherwise]
        return bool(self.refusals)

    def _named(self, refusal: Refusal) -> Refusal:
        field = str(refusal.message.values.get("field", ""))
        if field not in self._labels:
            return NOT_READ
        said = text("“{field}” is missing or cannot be read.", field=speech()(self._labels[field]))
        return Refusal(refusal.code, said, text("Correct it, then send the form again."))


def typed(name: str, otherwise: object = "") -> str:
    """Return what was typed into a field of the form that was sent; else what stands there."""
    if request.method == "POST" and name in request.form:
        return request.form[name]
    return "" if otherwise is None else str(otherwise)


def again(page: str) -> Response:
    """Answer with the page whose form was refused."""
    return make_response(page, 409)
