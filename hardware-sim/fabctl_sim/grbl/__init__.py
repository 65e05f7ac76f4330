"""A stand-in for Grbl 1.1h on an ATmega328P, written from Grbl's documentation.

Sources, all in the repository gnea/grbl: doc/markdown/interface.md (messages, reports, codes),
commands.md ($ and real-time commands), settings.md, jogging.md, laser_mode.md, and the comments
of grbl/config.h for what a stock build has switched on.
"""
