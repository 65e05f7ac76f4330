"""How accessible these pages are: what was checked, how, and what was not. For everybody."""

from __future__ import annotations

from flask import Blueprint, render_template

from fabctl_web.pages import page

area = Blueprint("accessibility", __name__, template_folder="templates")


def _(template: str) -> str:
    """Mark a sentence for the catalogue; it is translated where it is shown."""
    return template


CHECKED = (
    _("Every page, by the program axe-core, with its rules of WCAG 2.2, levels A and AA."),
    _("In the browser Chromium, at 800 x 480, 1280 x 800 and 360 x 740 points."),
    _("In light and dark colours, in French and in English."),
    _("Widths: no page has to be scrolled sideways, no word on a button is cut."),
    _("Buttons: at least 56 points on touchscreens of the lab, 44 elsewhere."),
    _("Running text of at least 18 points. States of machines: contrast of at least 7 to 1."),
    _("A state never has a colour only: it has an icon and a word too."),
    _("Signing in, booking, moving and cancelling: with the keyboard alone."),
    _("With the Tab key: every control of every page is reached, and one sees where one is."),
    _("Plots: the same numbers are there as words or as a table."),
)
NOT_CHECKED = (
    _("Nobody who uses a screen reader every day has tried these pages yet."),
    _("A program finds only a part of all faults. Pages may have faults it does not see."),
    _("No other browser was checked: neither Firefox nor Safari."),
    _("Nobody from outside has audited these pages (RGAA, EN 301 549)."),
    _("Printed papers (PDF): labels, certificates and sheets are not made for screen readers."),
    _("Pictures of a camera have no description of what they show."),
)


@page(area, "/accessibilite")
def statement() -> str:
    """Show the statement."""
    return render_template(
        "staff_house/accessibility.html", checked=CHECKED, not_checked=NOT_CHECKED
    )
