"""The figures of the suites, told at the end of the session."""

from __future__ import annotations

from collections import Counter

FIGURES: Counter[str] = Counter()
"""What was counted, by name."""
LINES: list[str] = []
"""What is told in lines of its own."""
