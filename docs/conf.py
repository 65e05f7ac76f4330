"""Sphinx's settings: the documents of docs/ and deploy/ as one site. `make docs` builds it.

The source is the whole repository, so that a link from one document to another, or to a file, is
the same here and where the sources are read. What is made from the code is put in while a page
is read.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT)]

import fabctl  # noqa: E402  # found only now
from tools.reference import api, cli, decisions, pages, policies, ports, refusals  # noqa: E402  # the same
from tools.reference.offline import fetched  # noqa: E402  # the same

project = "fabctl"
author = "the authors of fabctl"
version = release = fabctl.__version__
extensions = ["myst_parser"]
root_doc = "docs/index"
include_patterns = ["docs/**", "deploy/*.md", "ARCHITECTURE.md", "CHANGELOG.md"]
exclude_patterns = [
    ".*", "site", "tests", "tools", "fabctl", "web", "drivers", "hardware-sim", "examples",
    "demo-data", "screenshots", "dist", "build",
]  # fmt: skip
nitpicky = True
smartquotes = False  # --option stays --option
suppress_warnings = ["config.cache"]

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = "fabctl"
html_static_path = ["site.css"]
html_css_files = ["site.css"]
html_extra_path = ["site-start"]
html_copy_source = False
html_show_copyright = False
html_use_index = False
html_favicon = "../web/fabctl_web/static/icon.svg"
html_theme_options = {
    # nothing from elsewhere, no web fonts: what the reader's own computer has
    "light_css_variables": {"font-stack": "system-ui, sans-serif"},
    "source_repository": "",
}
pygments_style = "default"

MADE: dict[str, Callable[[], str]] = {
    "api": api.operations,
    "api-data": api.data,
    "commands": cli.commands,
    "decisions": decisions.decisions,
    "driver-checks": ports.of_checks,
    "pages-of-developers": pages.of_developers,
    "pages-of-installers": pages.of_installers,
    "policies": policies.policies,
    "ports": ports.of_drivers,
    "refusals": refusals.refusals,
    "refusals-set-aside": refusals.set_aside,
    "refusals-of-machines": refusals.of_machines,
    "refusals-of-files": refusals.of_files,
}
LARGE = frozenset({"api", "api-data", "refusals"})
"""Left out of a brief build (`sphinx --tag brief`): the tests check their links by themselves."""
BRIEF = tags.has("brief")  # noqa: F821  # Sphinx puts it here
MARK = re.compile(r"<!-- made here: ([a-z-]+) -->")


def put_in(_app: Sphinx, _name: str, source: list[str]) -> None:
    """Put what is made into a page that is being read; a diagram's source is shown as text."""
    whole = MARK.sub(lambda found: _made(found[1]), source[0])
    source[0] = whole.replace("```mermaid\n", "```text\n")


def _made(name: str) -> str:
    return "(left out)" if BRIEF and name in LARGE else MADE[name]()


def look_through(app: Sphinx, error: Exception | None) -> None:
    """Fail where a page would fetch something from another computer."""
    if error is None and (found := fetched(Path(app.outdir))):
        raise ExtensionError("these would be fetched from elsewhere:\n" + "\n".join(found))


def setup(app: Sphinx) -> None:
    """Have pages made as they are read."""
    app.connect("source-read", put_in)
    app.connect("build-finished", look_through)
