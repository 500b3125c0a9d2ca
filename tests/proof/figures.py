"""The figures of the suites: what was counted, by name."""

from __future__ import annotations

from collections import Counter

FIGURES: Counter[str] = Counter()
