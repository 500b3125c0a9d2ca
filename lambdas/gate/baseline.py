"""Green against blue before the shift: two samples of datapoints, one per minute each. Pure."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import NormalDist, fmean, median
from typing import Any, NamedTuple, Optional

from gate.verdict import Finding, failed, passed, skipped

ENOUGH = 8  # points on each side; with fewer, the normal approximation says little


class MannWhitney(NamedTuple):
    """What the test found: U of green, two-sided p value, and how much green lies above blue (`lower` to `upper`)."""

    u: float
    p_value: float
    estimate: float
    lower: float
    upper: float


def mann_whitney(green: Sequence[float], blue: Sequence[float], confidence: float = 0.98) -> MannWhitney:
    """Test two samples, neither of them empty, for a shift.

    Sources: H. B. Mann and D. R. Whitney, "On a test of whether one of two random variables is stochastically larger
    than the other", 1947: U and its normal approximation, with the corrections for ties and continuity. J. L. Hodges
    and E. L. Lehmann, "Estimates of location based on rank tests", 1963: the estimate. The interval is that of R's
    wilcox.test(exact = FALSE, correct = TRUE, conf.int = TRUE): the shifts at which the standardised statistic crosses
    the normal quantiles. It changes at the differences only, so the ends are differences, found by counting; the least
    and the greatest where no shift at all would be refused, as in R.
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
    return MannWhitney(u, math.erfc(z / math.sqrt(2)), median(differences), differences[at], differences[-1 - at])


def shifted(
    green: Sequence[float],
    blue: Sequence[float],
    *,
    tolerance: Optional[float] = 0.25,
    confidence: float = 0.98,
    direction: str = "increase",
) -> bool:
    """Whether green lies beyond blue in the worse `direction`, and chance does not explain it. Neither is empty.

    As the judge of Kayenta has it (Netflix, MannWhitneyClassifier): the whole interval of the shift lies beyond
    `tolerance` times the estimate. Kayenta adds Gaussian noise to constant samples; here they compare as what they are.
    The shift must also be significant: with very few points the interval ends where the data do, which proves nothing.
    Without a tolerance any significant difference counts, even one whose estimate is 0, as of mostly zero values.
    """
    found = mann_whitney(green, blue, confidence)
    if found.p_value >= 1 - confidence:
        return False
    if tolerance is None:
        half = len(green) * len(blue) / 2
        higher, lower = found.u > half, found.u < half
    else:
        bound = tolerance * abs(found.estimate)
        higher, lower = found.lower > bound, found.upper < -bound
    return (higher and direction != "decrease") or (lower and direction != "increase")


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
) -> Finding:
    """Judge what is called `name` as the finding `label`: green's datapoints against blue's before the shift.

    It fails if green's median is more than `worst` percent worse than blue's. From ENOUGH points on each side, it also
    fails on a statistically significant shift larger than half of `worst`. A difference of at most `noise` (in the unit
    of the values) never fails. Where a side is mostly zero, so is its median, whatever the other values are: then the
    means are compared, and the difference has to be significant, for one spike moves a mean.
    """
    if not green or not blue:
        sides = " and ".join(side for side, values in (("green", green), ("blue before the shift", blue)) if not values)
        return skipped(f"no datapoints of {name} for {sides}: nothing to compare", label)

    def worsening(now: float, before: float) -> float:
        change = now - before
        return abs(change) if direction == "either" else -change if direction == "decrease" else change

    medians = median(green), median(blue)
    sparse = 0 in medians
    enough = min(len(green), len(blue)) >= ENOUGH
    now, before = (fmean(green), fmean(blue)) if sparse else medians
    worse = worsening(now, before)
    percent, share = _percent(now - before, before), _percent(worse, before)
    by = f"{percent:+.10g} %" if before else f"0 has no percentage: at most {_shown(noise, unit)} of difference allowed"
    mean = " on average" if sparse else ""
    text = f"green's {name} is {_shown(now, unit)}{mean}, blue's was {_shown(before, unit)} before the shift ({by})"
    values: dict[str, Any] = {"green": float(f"{now:.6g}"), "blue": float(f"{before:.6g}")}
    values["percent"] = percent if math.isfinite(percent) else None

    matters = not sparse
    if sparse and not enough:  # too few points for a test: the typical one is worse, or more are above zero
        often = direction != "decrease" and _more_often(green, blue, confidence)
        matters = often or worsening(*medians) > noise
    if matters and share > worst and worse > noise:
        limit = f", at most {worst:g} % {'apart' if direction == 'either' else 'worse'} allowed" if before else ""
        return failed(f"{text}{limit}", label, **values)

    significant = False
    note = f"too few points ({len(green)} and {len(blue)}, {ENOUGH} needed) for a Mann-Whitney judgement"
    if enough:
        borne = None if sparse else tolerance
        significant = shifted(green, blue, tolerance=borne, confidence=confidence, direction=direction)
        sure = f"({confidence * 100:.10g} % confident{'' if sparse else f', tolerance {tolerance:g}'})"
        if significant and worse > noise and share > worst / 2:
            return failed(f"{text}: a Mann-Whitney U test holds that for no chance {sure}", label, **values)
        note = f"a Mann-Whitney U test sees {'a' if significant else 'no'} shift to the worse {sure}"
    if before and (significant or (share > worst and not sparse)):  # say why that is no failure
        least = _shown(noise, unit) if worse <= noise else f"half of {worst:g} %"
        not_worse = f", its {'mean' if sparse else 'median'} is not worse"
        text += f", up to {least} is no finding" if worse > 0 else not_worse
    return passed(f"{text}; {note}", label, **values)


def _percent(difference: float, before: float) -> float:
    """The difference in percent, to a tenth: it is judged as it is said. Infinite where there was nothing."""
    return round(difference / abs(before) * 100, 1) + 0.0 if before else math.inf


def _shown(value: float, unit: str) -> str:
    return f"{value:.0f} {unit}".strip() if 100 <= abs(value) < 1e15 else f"{value:.3g} {unit}".strip()


def _more_often(green: Sequence[float], blue: Sequence[float], confidence: float) -> bool:
    """Whether green is above zero more often than chance explains, and not in one spike.

    Blue's share is taken with two points more, one of them above zero: what was not seen in a few may still be.
    """
    above, before = (sum(value > 0 for value in values) for values in (green, blue))
    return above > 1 and by_chance(above, len(green), (before + 1) / (len(blue) + 2)) < 1 - confidence


def by_chance(errors: int, requests: int, share: float) -> float:
    """How likely so many errors, or more, of so many requests are, where each fails with this probability.

    The upper tail of the binomial distribution, added up term by term; 1 up to what is to be expected: chance enough.
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


def _sigma(greens: int, blues: int, ties: Iterable[int]) -> float:
    """The standard deviation of U; `ties`: how often each value occurs."""
    total = greens + blues
    tied = sum(count**3 - count for count in ties)
    return math.sqrt(greens * blues / 12 * (total + 1 - tied / (total * (total - 1))))
