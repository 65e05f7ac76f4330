"""Everything of booking, the planning and a person's own page, for the application."""

from __future__ import annotations

from fabctl_web.bookings import entries, moving, pools, views, waiting
from fabctl_web.people import mine, private
from fabctl_web.planning import series
from fabctl_web.planning import views as planning

AREAS = (views.area, waiting.area, entries.area, mine.area, planning.area)
WITH_VIEWS = (moving, pools, private, series)
"""Modules that add to the areas above when they are loaded."""
