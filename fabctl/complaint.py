"""A line for the log that says that something is wrong."""

from __future__ import annotations


class Complaint(str):
    """For whoever writes a log: in systemd's journal it is a warning, elsewhere a line as all are.

    A line is handed on as a string everywhere; who has nothing to do with a journal need not know.
    """

    __slots__ = ()
