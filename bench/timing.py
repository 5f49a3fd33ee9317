"""Whether two kinds of work differ in time more than chance explains.

Welch's t of their CPU times; 4.5 is the usual limit for leakage (ISO/IEC 17825). The slowest tenth
is left out: that is the machine.
"""

import math
import statistics
from collections.abc import Sequence
from typing import Final

MAX_T: Final = 4.5
_KEPT: Final = 0.9


def usual(times: Sequence[int]) -> list[int]:
    """Return the times without the slowest tenth."""
    return sorted(times)[: int(len(times) * _KEPT)]


def welch(first: Sequence[int], second: Sequence[int]) -> float:
    """Return Welch's t of two samples."""
    error = sum(statistics.variance(times) / len(times) for times in (first, second))
    return (statistics.mean(first) - statistics.mean(second)) / math.sqrt(error)
