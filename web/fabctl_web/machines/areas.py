"""Every address about machines."""

from __future__ import annotations

from fabctl_web.machines import gallery, labels, looks, plots, reports, views

AREAS = (views.area, gallery.area, plots.area, looks.area, reports.area, labels.area)
