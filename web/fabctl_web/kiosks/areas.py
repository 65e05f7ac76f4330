"""Every part of the pages of shared screens."""

from __future__ import annotations

from fabctl_web.kiosks import badges, desk, taking, views

AREAS = (views.area, desk.area, badges.area, taking.area)
