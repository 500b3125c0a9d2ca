"""Green against blue before the shift: two samples of datapoints, one per minute each. Pure."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from statistics import NormalDist
from typing import Any

from gate.verdict import Finding, failed, passed, skipped

ENOUGH = 8  # points on each side; with fewer, the normal approximation says little


@dataclass(frozen=True)
class MannWhitney:
    """What the test found: U of green, two-sided p value, and how much green lies above blue (`lower` to `upper`)."""

    u: float
    p_value: float
    estimate: float
    lower: float
    upper: float


class Classification(str, Enum):
    """What Kayenta calls a metric."""

    HIGH = "High"
    LOW = "Low"
    PASS = "Pass"  # noqa: S105  # Kayenta's word
    NODATA = "Nodata"


def mann_whitney(green: Sequence[float], blue: Sequence[float], confidence: float = 0.98) -> MannWhitney:
    """Test two samples, neither of them empty, for a shift.

    Sources: H. B. Mann and D. R. Whitney, "On a test of whether one of two random variables is stochastically larger
    than the other", 1947: U and its normal approximation, here with the corrections for ties and continuity.
    J. L. Hodges and E. L. Lehmann, "Estimates of location based on rank tests", 1963: the estimate is the median of
    all differences. The interval is that of R's wilcox.test(exact = FALSE, correct = TRUE, conf.int = TRUE): the
    shifts at which the standardised statistic crosses the normal quantiles. The statistic changes at the differences
    only, so the ends are differences, found by counting. Where no shift at all would be refused, the ends are the
    least and the greatest difference, as in R.
    """
    ordered, pairs = sorted(blue), len(green) * len(blue)
    u = sum(bisect_left(ordered, value) + bisect_right(ordered, value) for value in green) / 2
    sigma = _sigma(len(green), len(blue), Counter([*green, *blue]).values())
    z = max(abs(u - pairs / 2) - 0.5, 0) / sigma if sigma else 0.0
    differences = sorted(one - other for one in green for other in blue)
    # Between two differences no green value equals a blue one: only each side's own ties count.
    apart = _sigma(len(green), len(blue), [*Counter(green).values(), *Counter(blue).values()])
    beyond = pairs / 2 - 0.5 - NormalDist().inv_cdf((1 + confidence) / 2) * apart
    at = max(math.ceil(beyond), 1) - 1
    return MannWhitney(u, math.erfc(z / math.sqrt(2)), _median(differences), differences[at], differences[-1 - at])


def classify(
    green: Sequence[float],
    blue: Sequence[float],
    *,
    tolerance: float = 0.25,
    confidence: float = 0.98,
    direction: str = "increase",
) -> Classification:
    """Classify green as the judge of Kayenta does (Netflix, MannWhitneyClassifier).

    HIGH or LOW if the whole interval of the shift lies beyond `tolerance` times the estimate. Two samples alike, or
    of one value, pass. Kayenta adds Gaussian noise to constant samples; here they compare as what they are. And a
    shift must be significant: with very few points the interval ends where the data do, which proves nothing.
    """
    if not green or not blue:
        return Classification.NODATA
    found = mann_whitney(green, blue, confidence)
    bound = tolerance * abs(found.estimate)
    if found.p_value < 1 - confidence:
        if direction != "decrease" and found.lower > bound:
            return Classification.HIGH
        if direction != "increase" and found.upper < -bound:
            return Classification.LOW
    return Classification.PASS


def compare(
    name: str,
    label: str,
    green: Sequence[float],
    blue: Sequence[float],
    *,
    worst: float,
    tolerance: float = 0.25,
    confidence: float = 0.98,
    noise: float = 0.0,
    direction: str = "increase",
    unit: str = "",
    scale: float = 1.0,
) -> Finding:
    """Judge what is called `name` as the finding `label`: green's datapoints against blue's before the shift.

    At most `worst` percent worse by the medians and, from ENOUGH points on, no certain shift by more than half of that:
    what is certain may still be too little to matter. In both cases only if the medians differ by more than `noise` (in
    the unit of the values). Where a side is mostly zero, so is its median, whatever the other values are: then the
    means are compared, and what differs has to be certain, for one spike moves a mean. Texts show values times `scale`.
    """
    if not green or not blue:
        sides = " and ".join(side for side, values in (("green", green), ("blue before the shift", blue)) if not values)
        return skipped(f"no datapoints of {name} for {sides}: nothing to compare", label)

    def said(value: float) -> str:
        shown = value * scale
        return f"{shown:.0f} {unit}".strip() if 100 <= abs(shown) < 1e15 else f"{shown:.3g} {unit}".strip()

    def worsening(now: float, before: float) -> float:
        change = now - before
        return abs(change) if direction == "either" else -change if direction == "decrease" else change

    medians = _median(sorted(green)), _median(sorted(blue))
    sparse = 0 in medians
    now, before = (_mean(green), _mean(blue)) if sparse else medians
    worse = worsening(now, before)
    # Judged as it is said: to a tenth of a percent.
    percent, share = (
        round(each / abs(before) * 100, 1) + 0.0 if before else math.inf for each in (now - before, worse)
    )
    by = f"{percent:+.10g} %" if before else f"0 has no percentage: at most {said(noise)} of difference allowed"
    mean = " on average" if sparse else ""
    text = f"green's {name} is {said(now)}{mean}, blue's was {said(before)} before the shift ({by})"
    values: dict[str, Any] = {"green": float(f"{now * scale:.6g}"), "blue": float(f"{before * scale:.6g}")}
    values["percent"] = percent if math.isfinite(percent) else None
    enough = min(len(green), len(blue)) >= ENOUGH
    # Of a few points that are mostly zero a mean alone says too little: the typical one has to be worse, too, or more
    # of them above zero than chance explains.
    often = direction != "decrease" and _more_often(green, blue, confidence)
    plain = not sparse or (not enough and (often or worsening(*medians) > noise))
    if plain and share > worst and worse > noise:
        limit = f", at most {worst:g} % {'apart' if direction == 'either' else 'worse'} allowed" if before else ""
        return failed(f"{text}{limit}", label, **values)
    if not enough:
        shifted = False
        note = f"too few points ({len(green)} and {len(blue)}, {ENOUGH} needed) for a Mann-Whitney judgement"
    else:
        if sparse:
            shifted = _differ(green, blue, confidence, direction)
        else:
            judged = classify(green, blue, tolerance=tolerance, confidence=confidence, direction=direction)
            shifted = judged is not Classification.PASS
        sure = f"({confidence * 100:.10g} % confident{'' if sparse else f', tolerance {tolerance:g}'})"
        if shifted and worse > noise and share > worst / 2:
            return failed(f"{text}: a Mann-Whitney U test holds that for no chance {sure}", label, **values)
        note = f"a Mann-Whitney U test sees {'a' if shifted else 'no'} shift to the worse {sure}"
    if before and (shifted or (share > worst and not sparse)):
        least = said(noise) if worse <= noise else f"half of {worst:g} %"
        text += (
            f", up to {least} is no finding" if worse > 0 else f", its {'mean' if sparse else 'median'} is not worse"
        )
    return passed(f"{text}; {note}", label, **values)


def _differ(green: Sequence[float], blue: Sequence[float], confidence: float, direction: str) -> bool:
    """Whether green lies beyond blue for no chance, by however little: of what is mostly zero the shift is 0."""
    found = mann_whitney(green, blue, confidence)
    way = "increase" if found.u > len(green) * len(blue) / 2 else "decrease"
    return found.p_value < 1 - confidence and direction in (way, "either")


def _more_often(green: Sequence[float], blue: Sequence[float], confidence: float) -> bool:
    """Whether green is above zero more often than chance explains, and not in one spike.

    Blue's share is taken with two points more, one of them above zero: what was not seen in a few may still be.
    """
    above, before = (sum(value > 0 for value in values) for values in (green, blue))
    return above > 1 and by_chance(above, len(green), (before + 1) / (len(blue) + 2)) < 1 - confidence


def by_chance(errors: int, requests: int, share: float) -> float:
    """How likely so many errors, or more, of so many requests are, where each fails with this probability.

    The upper tail of the binomial distribution, added up term by term from the logarithm of the first. Up to what is to
    be expected it is said to be 1: chance enough.
    """
    if errors <= requests * share:
        return 1.0
    ways = math.lgamma(requests + 1) - math.lgamma(errors + 1) - math.lgamma(requests - errors + 1)
    term = math.exp(ways + errors * math.log(share) + (requests - errors) * math.log1p(-share))
    total = term
    for count in range(errors, requests):
        term *= (requests - count) / (count + 1) * share / (1 - share)
        total += term
        if term <= total * 1e-12:
            break
    return min(total, 1.0)


def _mean(values: Sequence[float]) -> float:
    return math.fsum(value / len(values) for value in values)


def _sigma(greens: int, blues: int, ties: Iterable[int]) -> float:
    """The standard deviation of U; `ties`: how often each value occurs."""
    total = greens + blues
    tied = sum(count**3 - count for count in ties)
    return math.sqrt(greens * blues / 12 * (total + 1 - tied / (total * (total - 1))))


def _median(ordered: Sequence[float]) -> float:
    low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    return low if low == high else low / 2 + high / 2
