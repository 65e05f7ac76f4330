"""Units as types: a number that carries its unit in its name, checked by mypy."""

from typing import NewType

Celsius = NewType("Celsius", float)
"""A temperature in °C."""

Millimetres = NewType("Millimetres", float)
"""A length in mm."""

MmPerMin = NewType("MmPerMin", float)
"""A feed rate in mm/min, as G-code's F word gives it."""

Seconds = NewType("Seconds", float)
"""A duration in s, on the monotonic clock."""
