"""Every address about machines."""

from __future__ import annotations

from fabctl_web.machines import gallery, labels, looks, plots, reports, top_view, views

AREAS = (
    views.area, gallery.area, plots.area, top_view.area, looks.area, reports.area, labels.area,
)  # fmt: skip
