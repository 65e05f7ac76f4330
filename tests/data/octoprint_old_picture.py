"""A plugin of OctoPrint's for tests: on request the server shows an operational printer.

What it shows is set by several threads under no lock (OctoPrint 1.11.8, printer/standard.py,
on_comm_state_change and _setState): an old picture may stay for good. This sets one, each time.
"""

from typing import Any

import octoprint.plugin  # type: ignore[import-not-found]  # it is there where this runs

FLAGS = {
    "operational": True, "printing": False, "cancelling": False, "pausing": False,
    "resuming": False, "finishing": False, "closedOrError": False, "error": False,
    "paused": False, "ready": True, "sdReady": False,
}  # fmt: skip


class OldPicture(octoprint.plugin.SimpleApiPlugin):  # type: ignore[misc]  # of no known type
    """Takes one command."""

    def get_api_commands(self) -> dict[str, list[str]]:
        """Say which command."""
        return {"show": []}

    def is_api_protected(self) -> bool:
        """Only for those who have signed in."""
        return True

    def on_api_command(self, command: str, data: Any) -> None:  # noqa: ARG002  # OctoPrint's
        """Show it."""
        state = {"text": "Operational", "flags": FLAGS, "error": ""}
        self._printer._stateMonitor.set_state(state)  # there is no other way


__plugin_name__ = "Old picture"
__plugin_pythoncompat__ = ">=3.7,<4"
__plugin_implementation__ = OldPicture()
