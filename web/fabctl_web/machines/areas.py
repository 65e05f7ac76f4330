"""Every address about machines."""

from __future__ import annotations

from fabctl_web.machines import gallery, handing_out, labels, looks, plots, reports, top_view, views

AREAS = (
    views.area, gallery.area, plots.area, top_view.area, looks.area, reports.area, labels.area,
    handing_out.area,
)  # fmt: skip
