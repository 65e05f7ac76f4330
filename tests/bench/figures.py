"""How a figure is shown: what, how much, the aim beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence


def quantile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least ``share`` (0 to 1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def show(what: str, value: float, unit: str, aim: float | None = None) -> None:
    """Print one figure; with an aim (an upper limit), say whether it was met, and its share."""
    verdict = ""
    if aim is not None:
        verdict = f"   aim ≤ {aim:g} {unit}: {'met' if value <= aim else 'MISSED'}"
        verdict += f", {value / aim:.2f} of it" if aim else ""
    print(f"  {what:<44} {value:>10.1f} {unit}{verdict}")
