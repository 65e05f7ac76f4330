"""Pages: what people open and come back to, in contrast to fragments, forms and files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Blueprint

View = TypeVar("View", bound=Callable[..., Any])
_ENDPOINTS: set[str] = set()


def page(area: Blueprint, rule: str) -> Callable[[View], View]:
    """Register a view for GET as a page: a sign-in and a form may lead back to it, and opening
    it keeps the session of one's own browser alive.
    """

    def register(view: View) -> View:
        _ENDPOINTS.add(f"{area.name}.{view.__name__}")
        area.get(rule)(view)
        return view

    return register


def is_page(endpoint: str | None) -> bool:
    """Say whether an endpoint is a page."""
    return endpoint in _ENDPOINTS
