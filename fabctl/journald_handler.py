"""What libraries log, into the journal; apart from :mod:`fabctl.journald`, so that the small
processes need no ``logging``.
"""

from __future__ import annotations

import logging

from fabctl.journald import ERROR, INFO, WARNING, Journal


class JournalHandler(logging.Handler):
    """For what libraries log (gunicorn): into the journal, else on stderr as before."""

    def __init__(self, journal: Journal) -> None:
        super().__init__()
        self._journal = journal
        self._else = logging.StreamHandler()

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        priority = ERROR if record.levelno >= logging.ERROR else WARNING
        priority = priority if record.levelno >= logging.WARNING else INFO
        if not self._journal.write(self.format(record), priority):
            self._else.emit(record)
