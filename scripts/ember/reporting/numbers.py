"""Numbers as they are printed: counts, shares, estimates with intervals, p values."""

from __future__ import annotations

import math

MINUS = "\u2212"
NARROW_SPACE = "\u202f"
Z_95 = 1.959963984540054


def wilson(events: int, total: int, z: float = Z_95) -> tuple[float, float]:
    """Return the Wilson score interval of a share (Wilson 1927, J Am Stat Assoc 22:209-212).

    Parameters
    ----------
    events, total : int
        0 <= events <= total, total > 0.

    Notes
    -----
    Stays inside 0 to 1 and holds its coverage near the ends, where the interval from the normal
    approximation has width zero. It takes people as independent: a design with clusters needs its own.
    """
    share = events / total
    centre = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total)) / (1 + z * z / total)
    return (0.0 if events == 0 else max(0.0, centre - half)), (1.0 if events == total else min(1.0, centre + half))


def count_text(count: int | None, threshold: int) -> str:
    """Return a count with thousands separated; a hidden one as "<threshold"."""
    return f"<{threshold}" if count is None else f"{count:,}"


def decimal_text(value: float | None, digits: int = 2) -> str:
    """Return a number with a true minus sign; an absent one as a dash."""
    if value is None or not math.isfinite(value):
        return "–"
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", MINUS)


def rounded_text(value: float | None, significant: int = 3) -> str:
    """Return a number to significant digits, without exponent for what people read (1e-4 to 1e6)."""
    if value is None or not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    digits = significant - 1 - math.floor(math.log10(abs(value)))
    text = f"{round(value, digits):,.{max(0, digits)}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text.replace("-", MINUS)


def range_text(low: float | None, high: float | None, digits: int = 2) -> str:
    """Return "low to high", or a dash if there is no interval."""
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return "–"
    return f"{decimal_text(low, digits)} to {decimal_text(high, digits)}"


def interval_text(estimate: float | None, low: float | None, high: float | None, digits: int = 2) -> str:
    """Return "0.12 (0.03 to 0.21)"; without an interval the estimate alone, without an estimate a dash."""
    if estimate is None or not math.isfinite(estimate):
        return "–"
    limits = range_text(low, high, digits)
    return decimal_text(estimate, digits) + ("" if limits == "–" else f" ({limits})")


def percent_text(share: float | None, digits: int = 1) -> str:
    """Return a share as a percentage."""
    return "–" if share is None or not math.isfinite(share) else f"{decimal_text(100 * share, digits)}{NARROW_SPACE}%"


def percent_interval_text(share: float | None, low: float | None, high: float | None, digits: int = 1) -> str:
    """Return "27.3 % (24.1 to 30.8)"."""
    if share is None or not math.isfinite(share):
        return "–"
    if low is None or high is None:
        return percent_text(share, digits)
    return f"{percent_text(share, digits)} ({range_text(100 * low, 100 * high, digits)})"


def p_text(p_value: float | None) -> str:
    """Return a p value to two significant digits, "<0.0001" below that; a dash if there is none."""
    if p_value is None or not math.isfinite(p_value):
        return "–"
    if p_value < 0.0001:
        return "<0.0001"
    if p_value > 0.995:
        return ">0.99"
    digits = 1 - math.floor(math.log10(p_value))
    return f"{p_value:.{max(2, digits)}f}"
