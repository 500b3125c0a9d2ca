"""gate.baseline: Mann-Whitney U against scipy, R and brute force; shifts; one judgement in words."""

from __future__ import annotations

import json
import math
import random
import statistics
import time
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
import scipy.stats  # type: ignore[import-untyped]
from gate.baseline import ENOUGH, compare, mann_whitney, shifted
from gate.options.production import Metric
from gate.settings import entries
from gate.verdict import Finding, Outcome
from hypothesis import assume, example, given
from hypothesis import strategies as st

Sample = list[float]

(DIRECTIONS,) = [entry.about.choices for entry in entries(Metric) if entry.name == "direction"]
CONFIDENCES = st.sampled_from([0.5, 0.9, 0.95, 0.98, 0.9999])


def samples(values: st.SearchStrategy[Any], least: int = 1, most: int = 60) -> st.SearchStrategy[Sample]:
    return st.lists(values.map(float), min_size=least, max_size=most)


TIED = samples(st.integers(0, 5))
WHOLE = samples(st.integers(-1000, 1000))
EXACT = st.one_of(TIED, WHOLE)  # sums and differences of these lose nothing
PLAIN = samples(st.floats(-1e6, 1e6).map(lambda value: round(value, 6)))
HUGE = 2.0**360  # CloudWatch takes no value beyond it
ANY = samples(st.floats(-HUGE, HUGE))
TINY = samples(st.sampled_from([0.0, -0.0, 5e-324, 1e-308, -1e-300, HUGE, -HUGE, 1.0]))


def scipy_p(green: Sequence[float], blue: Sequence[float]) -> float:
    result = scipy.stats.mannwhitneyu(green, blue, use_continuity=True, alternative="two-sided", method="asymptotic")
    return float(result.pvalue)


# --- The test itself ---


@given(green=st.one_of(TIED, WHOLE, PLAIN), blue=st.one_of(TIED, WHOLE, PLAIN))
def test_u_and_p_are_those_of_scipy(green: Sample, blue: Sample) -> None:
    assume(len({*green, *blue}) > 1)
    expected = scipy.stats.mannwhitneyu(green, blue, use_continuity=True, alternative="two-sided", method="asymptotic")
    found = mann_whitney(green, blue)
    assert found.u == expected.statistic
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-9)


def test_u_and_p_are_those_of_scipy_far_from_chance() -> None:
    draw = random.Random(1)  # noqa: S311  # samples, no secrets
    for shift in range(12):
        green = [draw.gauss(shift / 2, 1) for _ in range(draw.randint(8, 60))]
        blue = [draw.gauss(0, 1) for _ in range(draw.randint(8, 60))]
        assert mann_whitney(green, blue).p_value == pytest.approx(scipy_p(green, blue), rel=1e-9)


@given(value=st.floats(-1e9, 1e9), greens=st.integers(1, 60), blues=st.integers(1, 60))
def test_samples_of_one_value_are_no_evidence(value: float, greens: int, blues: int) -> None:
    found = mann_whitney([value] * greens, [value] * blues)
    assert (found.u, found.p_value) == (greens * blues / 2, 1)
    assert (found.estimate, found.lower, found.upper) == (0, 0, 0)


@given(green=st.one_of(EXACT, PLAIN), blue=st.one_of(EXACT, PLAIN))
def test_estimate_is_the_median_of_all_differences(green: Sample, blue: Sample) -> None:
    """It also balances the statistic: shifted by it, as many pairs are above as below, but for ties."""
    found = mann_whitney(green, blue)
    assert found.estimate == pytest.approx(statistics.median(x - y for x in green for y in blue), abs=1e-9)
    assert found.lower <= found.estimate <= found.upper


@given(green=EXACT, blue=EXACT)
def test_estimate_balances_the_statistic(green: Sample, blue: Sample) -> None:
    shift = mann_whitney(green, blue).estimate
    above = sum(x - shift > y for x in green for y in blue)
    below = sum(x - shift < y for x in green for y in blue)
    assert max(above, below) <= len(green) * len(blue) / 2


@given(green=samples(st.integers(0, 25)), blue=samples(st.integers(0, 25)), confidence=CONFIDENCES)
def test_interval_is_the_shifts_that_scipy_does_not_refuse(green: Sample, blue: Sample, confidence: float) -> None:
    """Brute force: the test is asked between any two neighbouring differences and beyond the outermost ones."""
    found = mann_whitney(green, blue, confidence)
    differences = sorted({x - y for x in green for y in blue})
    for below, above in pairwise(differences):
        shift = (below + above) / 2
        kept = scipy_p([x - shift for x in green], blue) >= 1 - confidence
        assert kept is (found.lower < shift < found.upper), (shift, found)
    for shift, end, outermost in (
        (differences[0] - 1, found.lower, differences[0]),
        (differences[-1] + 1, found.upper, differences[-1]),
    ):
        if scipy_p([x - shift for x in green], blue) >= 1 - confidence:
            assert end == outermost  # no shift is refused: it ends where the data do
    assert {found.lower, found.upper} <= set(differences)


@pytest.mark.parametrize(
    ("green", "blue", "confidence", "figures"),
    [
        (
            [212, 230, 198, 251, 240, 226, 219, 305, 233],
            [201, 188, 207, 195, 190, 214, 199, 203, 192, 186, 211],
            0.98,
            (92, 0.00141832255, 31.0000, 11.9999, 52.0000),
        ),
        (
            [3, 4, 4, 5, 4, 3, 6, 4],
            [1, 2, 2, 1, 3, 2, 2, 1, 2, 2],
            0.95,
            (79, 0.000434177317, 2.0001, 2.0000, 3.0001),
        ),
        (
            [0.4, 0.1, 0.9, 0.35, 0.6],
            [0.5, 0.45, 0.7, 0.2, 0.8],
            0.90,
            (10, 0.676103314, -0.1000, -0.4000, 0.2000),
        ),
        ([5], list(range(2, 21)), 0.95, (3.5, 0.339992664, -6.0000, -15.0000, 3.0000)),
        (
            [-12.5, -3, 0.25, -7, -9, -4, -6, -8.5],
            [4, -2, 8.75, 1, 3, 0, 5.5],
            0.99,
            (2, 0.00316694038, -9.0000, -15.7500, -2.7500),
        ),
    ],
)
def test_figures_are_those_of_r(green: Sample, blue: Sample, confidence: float, figures: Sequence[float]) -> None:
    """R 4.2.2: wilcox.test(green, blue, exact = FALSE, correct = TRUE, conf.int = TRUE); it finds roots to 1e-4.

    W, p-value, difference in location, confidence interval.
    """
    found = mann_whitney(green, blue, confidence)
    assert (found.u, found.p_value) == pytest.approx(figures[:2], rel=1e-8)
    assert (found.estimate, found.lower, found.upper) == pytest.approx(figures[2:], abs=3e-4)


@given(green=EXACT, blue=EXACT, confidence=CONFIDENCES)
def test_swapped_samples_give_the_negative(green: Sample, blue: Sample, confidence: float) -> None:
    one, other = mann_whitney(green, blue, confidence), mann_whitney(blue, green, confidence)
    assert one.u + other.u == len(green) * len(blue)
    assert one.p_value == other.p_value
    assert (one.estimate, one.lower, one.upper) == (-other.estimate, -other.upper, -other.lower)


@given(green=EXACT, blue=EXACT, shift=st.integers(-500, 500), confidence=CONFIDENCES)
def test_what_is_added_to_green_is_added_to_the_shift(
    green: Sample, blue: Sample, shift: int, confidence: float
) -> None:
    plain, moved = mann_whitney(green, blue, confidence), mann_whitney([x + shift for x in green], blue, confidence)
    assert (moved.estimate, moved.lower, moved.upper) == (
        plain.estimate + shift,
        plain.lower + shift,
        plain.upper + shift,
    )
    assert moved.u >= plain.u if shift >= 0 else moved.u <= plain.u


@given(green=EXACT, blue=EXACT, factor=st.sampled_from([2.0**-20, 0.5, 3.0, 1024.0]), confidence=CONFIDENCES)
def test_another_unit_changes_the_figures_by_its_factor(
    green: Sample, blue: Sample, factor: float, confidence: float
) -> None:
    plain = mann_whitney(green, blue, confidence)
    scaled = mann_whitney([x * factor for x in green], [y * factor for y in blue], confidence)
    assert (scaled.u, scaled.p_value) == (plain.u, plain.p_value)
    assert (scaled.estimate, scaled.lower, scaled.upper) == tuple(
        each * factor for each in (plain.estimate, plain.lower, plain.upper)
    )


@given(green=EXACT, blue=EXACT)
def test_more_confidence_needs_a_wider_interval(green: Sample, blue: Sample) -> None:
    narrow, wide = mann_whitney(green, blue, 0.9), mann_whitney(green, blue, 0.99)
    assert wide.lower <= narrow.lower <= narrow.upper <= wide.upper


@given(green=EXACT, blue=EXACT, seed=st.randoms(use_true_random=False))
def test_order_of_the_points_does_not_matter(green: Sample, blue: Sample, seed: random.Random) -> None:
    assert mann_whitney(seed.sample(green, len(green)), seed.sample(blue, len(blue))) == mann_whitney(green, blue)


def test_an_hour_against_an_hour_takes_little_time() -> None:
    draw = random.Random(2)  # noqa: S311  # samples, no secrets
    green, blue = ([draw.random() for _ in range(60)] for _ in range(2))

    def once() -> float:
        began = time.perf_counter()
        mann_whitney(green, blue)
        return time.perf_counter() - began

    assert min(once() for _ in range(5)) < 0.05


# --- A shift that chance does not explain ---

BASE = [100.0, 104.0, 98.0, 101.0, 97.0, 103.0, 99.0, 102.0]
WORSE = [x + 40 for x in BASE]
BETTER = [x - 40 for x in BASE]


@pytest.mark.parametrize(
    ("green", "directions"),
    [
        (WORSE, {"increase", "either"}),
        (BETTER, {"decrease", "either"}),
        (BASE, set()),
        (BASE[::-1], set()),
    ],
)
@pytest.mark.parametrize("tolerance", [0.25, None])
def test_a_shift_counts_in_its_direction(green: Sample, directions: set[str], tolerance: float | None) -> None:
    assert {way for way in DIRECTIONS if shifted(green, BASE, tolerance=tolerance, direction=way)} == directions


@given(value=st.floats(-1e9, 1e9), greens=st.integers(1, 60), blues=st.integers(1, 60))
def test_one_value_on_both_sides_is_no_shift(value: float, greens: int, blues: int) -> None:
    for tolerance in (0, None):
        assert not shifted([value] * greens, [value] * blues, tolerance=tolerance, direction="either")


@given(sample=ANY)
def test_a_sample_is_not_shifted_against_itself(sample: Sample) -> None:
    for tolerance in (0, None):
        assert not shifted(sample, sample[::-1], tolerance=tolerance, confidence=0.5, direction="either")


@pytest.mark.parametrize(("green", "blue", "way"), [(6.0, 5.0, "increase"), (5.0, 6.0, "decrease")])
def test_two_constants_compare_as_what_they_are(green: float, blue: float, way: str) -> None:
    assert shifted([green] * ENOUGH, [blue] * ENOUGH, direction=way)
    assert not shifted([green] * 3, [blue] * 3, direction=way)


def test_a_confidence_that_the_points_cannot_reach_is_not_claimed() -> None:
    """Eight against eight points come to p = 0.00094 at best, however far they lie apart."""
    green, blue = [1000.0 + at for at in range(8)], [float(at) for at in range(8)]
    assert shifted(green, blue, confidence=0.999)
    assert not shifted(green, blue, confidence=0.9999)


def test_tolerance_is_a_share_of_the_estimate() -> None:
    """The interval's lower end is what decides."""
    green, blue = [float(x) for x in (10, 14, 18, 22, 26, 30, 34, 38, 42, 46)], [0.0] * 10
    found = mann_whitney(green, blue)
    share = found.lower / found.estimate
    assert 0 < share < 1
    assert shifted(green, blue, tolerance=share - 0.01)
    assert not shifted(green, blue, tolerance=share + 0.01)
    assert shifted(blue, green, tolerance=share - 0.01, direction="decrease")
    assert not shifted(blue, green, tolerance=share + 0.01, direction="decrease")


def test_an_interval_that_only_reaches_the_bound_is_no_shift() -> None:
    for green, blue in ((6.0, 5.0), (5.0, 6.0)):
        assert not shifted([green] * 9, [blue] * 9, tolerance=1, direction="either")


@given(green=samples(st.integers(0, 30)), blue=samples(st.integers(0, 30)), confidence=CONFIDENCES)
def test_without_tolerance_a_shift_is_what_the_test_refuses(green: Sample, blue: Sample, confidence: float) -> None:
    """None is claimed without significance; without ties between the sides, always with it."""
    significant = mann_whitney(green, blue).p_value < 1 - confidence
    assert shifted(green, blue, tolerance=None, confidence=confidence, direction="either") is significant
    found = shifted(green, blue, tolerance=0, confidence=confidence, direction="either")
    assert found <= significant
    if not set(green) & set(blue):
        assert found is significant


@given(green=EXACT, blue=EXACT, shift=st.integers(0, 500), tolerance=st.floats(0, 1))
def test_what_is_shifted_stays_so_when_green_gets_worse(
    green: Sample, blue: Sample, shift: int, tolerance: float
) -> None:
    if shifted(green, blue, tolerance=tolerance):
        assert shifted([x + shift for x in green], blue, tolerance=tolerance)


@given(green=EXACT, blue=EXACT, tolerance=st.one_of(st.none(), st.floats(0, 1)))
def test_swapped_samples_are_shifted_the_other_way(green: Sample, blue: Sample, tolerance: float | None) -> None:
    for one, other in (("increase", "decrease"), ("decrease", "increase"), ("either", "either")):
        found = shifted(green, blue, tolerance=tolerance, direction=one)
        assert found is shifted(blue, green, tolerance=tolerance, direction=other)


@given(green=st.one_of(ANY, TINY, TIED), blue=st.one_of(ANY, TINY, TIED), data=st.data())
def test_any_numbers_are_judged(green: Sample, blue: Sample, data: st.DataObject) -> None:
    """Huge, tiny and equal ones: nothing is raised, and there is a text."""
    direction = data.draw(st.sampled_from(DIRECTIONS))
    confidence = data.draw(CONFIDENCES)
    assert 0 <= mann_whitney(green, blue, confidence).p_value <= 1
    assert shifted(green, blue, confidence=confidence, direction=direction) in (True, False)
    found = compare(
        *("p95", "baseline", green, blue),
        worst=data.draw(st.floats(0, 1e6)),
        noise=data.draw(st.floats(0, 1e6)),
        confidence=confidence,
        direction=direction,
    )
    assert found.outcome in (Outcome.PASSED, Outcome.FAILED)
    assert "nan" not in found.detail


# --- One judgement in words ---


def latency(green: Sequence[float], blue: Sequence[float], **settings: Any) -> Finding:
    """As the load balancer's latencies are judged: published in seconds, compared in milliseconds."""
    sides = [[1000 * seconds for seconds in side] for side in (green, blue)]
    return compare("p95", "baseline:p95", *sides, **{"worst": 50, "noise": 50, "unit": "ms", **settings})


def test_too_much_worse_fails() -> None:
    found = latency([0.32, 0.31, 0.33], [0.2, 0.19, 0.21])
    assert found.outcome is Outcome.FAILED
    assert found.name == "baseline:p95"
    assert found.detail == (
        "green's p95 is 320 ms, blue's was 200 ms before the shift (+60 %), at most 50 % worse allowed"
    )
    assert found.values == {"green": 320, "blue": 200, "percent": 60}


def test_certainly_worse_fails_below_the_limit_too() -> None:
    found = latency([0.28 + at / 1000 for at in range(-4, 5)], [0.2 + at / 1000 for at in range(-4, 5)])
    assert found.outcome is Outcome.FAILED
    assert found.detail == (
        "green's p95 is 280 ms, blue's was 200 ms before the shift (+40 %): "
        "a Mann-Whitney U test holds that for no chance (98 % confident, tolerance 0.25)"
    )


def test_certainly_worse_by_little_is_no_finding() -> None:
    found = latency([1.2 + at / 1000 for at in range(-4, 5)], [1 + at / 1000 for at in range(-4, 5)])
    assert found.outcome is Outcome.PASSED
    assert found.detail == (
        "green's p95 is 1200 ms, blue's was 1000 ms before the shift (+20 %), up to half of 50 % is no finding; "
        "a Mann-Whitney U test sees a shift to the worse (98 % confident, tolerance 0.25)"
    )


def test_too_few_points_are_judged_by_the_percentage_alone_and_said_so() -> None:
    found = latency([0.28] * 5, [0.2] * 6)
    assert found.outcome is Outcome.PASSED
    assert found.detail == (
        "green's p95 is 280 ms, blue's was 200 ms before the shift (+40 %); "
        "too few points (5 and 6, 8 needed) for a Mann-Whitney judgement"
    )


@pytest.mark.parametrize(("greens", "blues", "outcome"), [(8, 8, "failed"), (7, 60, "passed"), (60, 7, "passed")])
def test_enough_points_are_needed_on_each_side(greens: int, blues: int, outcome: str) -> None:
    assert latency([0.28] * greens, [0.2] * blues).outcome == outcome


def test_alike_passes() -> None:
    found = latency([0.2] * 10, [0.2] * 10)
    assert found.outcome is Outcome.PASSED
    assert found.detail == (
        "green's p95 is 200 ms, blue's was 200 ms before the shift (+0 %); "
        "a Mann-Whitney U test sees no shift to the worse (98 % confident, tolerance 0.25)"
    )


def test_better_passes() -> None:
    found = latency([0.1] * 10, [0.2] * 10)
    assert found.outcome is Outcome.PASSED
    assert found.detail.startswith("green's p95 is 100 ms, blue's was 200 ms before the shift (-50 %); a Mann")


def test_noise_is_no_finding_whatever_the_percentage() -> None:
    found = latency([0.012] * 10, [0.003] * 10)
    assert found.outcome is Outcome.PASSED
    assert found.detail == (
        "green's p95 is 12 ms, blue's was 3 ms before the shift (+300 %), up to 50 ms is no finding; "
        "a Mann-Whitney U test sees a shift to the worse (98 % confident, tolerance 0.25)"
    )


def test_noise_is_said_with_few_points_too() -> None:
    found = latency([0.012], [0.003])
    assert found.outcome is Outcome.PASSED
    assert found.detail == (
        "green's p95 is 12 ms, blue's was 3 ms before the shift (+300 %), up to 50 ms is no finding; "
        "too few points (1 and 1, 8 needed) for a Mann-Whitney judgement"
    )


@pytest.mark.parametrize(
    ("settings", "outcome", "said"),
    [
        ({"confidence": 0.999}, "failed", "(99.9 % confident, tolerance 0.25)"),
        ({"confidence": 0.9999}, "passed", "(99.99 % confident, tolerance 0.25)"),
        ({"tolerance": 0.5}, "failed", "(98 % confident, tolerance 0.5)"),
        ({"tolerance": 0.99}, "passed", "(98 % confident, tolerance 0.99)"),
    ],
)
def test_confidence_and_tolerance_are_the_users(settings: dict[str, Any], outcome: str, said: str) -> None:
    green, blue = [280.0 + at for at in range(8)], [200.0 + at for at in range(8)]
    found = compare("p95", "baseline", green, blue, worst=50, **settings)
    assert found.outcome == outcome
    assert found.detail.endswith(said)


@pytest.mark.parametrize(("green", "outcome"), [(150, "passed"), (150.01, "passed"), (150.1, "failed")])
def test_the_limit_itself_is_allowed_and_what_is_said_is_what_is_judged(green: float, outcome: str) -> None:
    found = compare("p95", "baseline", [green], [100], worst=50)
    assert found.outcome == outcome
    assert ("+50 %" in found.detail) is (outcome == "passed")


def test_a_little_less_is_no_minus_nothing() -> None:
    assert "(+0 %)" in compare("p95", "baseline", [99.99], [100], worst=50).detail


@pytest.mark.parametrize(("median", "change"), [(9.0, "-10 %"), (10.0, "+0 %")])
def test_medians_and_pairs_that_disagree_are_both_said(median: float, change: str) -> None:
    """Green's median is a little lower or the same, but nearly all pairs say that green is higher."""
    blue = [0.0] * 14 + [10.0] * 17
    green = [median] * 16 + [30.0] * 15
    found = compare("rate", "baseline", green, blue, worst=50, tolerance=0)
    assert found.outcome is Outcome.PASSED
    assert found.detail == (
        f"green's rate is {median:g}, blue's was 10 before the shift ({change}), its median is not worse; "
        "a Mann-Whitney U test sees a shift to the worse (98 % confident, tolerance 0)"
    )


@pytest.mark.parametrize(("green", "outcome"), [(110, "passed"), (111, "failed")])
def test_a_difference_as_large_as_the_noise_is_none(green: float, outcome: str) -> None:
    assert compare("p95", "baseline", [green], [100], worst=5, noise=10).outcome == outcome


@pytest.mark.parametrize(
    ("green", "direction", "outcome", "said"),
    [
        (40, "decrease", "failed", "(-60 %), at most 50 % worse allowed"),
        (160, "decrease", "passed", "(+60 %); too few points"),
        (40, "increase", "passed", "(-60 %); too few points"),
        (160, "increase", "failed", "(+60 %), at most 50 % worse allowed"),
        (40, "either", "failed", "(-60 %), at most 50 % apart allowed"),
        (160, "either", "failed", "(+60 %), at most 50 % apart allowed"),
        (140, "either", "passed", "(+40 %); too few points"),
    ],
)
def test_which_way_is_worse(green: float, direction: str, outcome: str, said: str) -> None:
    found = compare("rate", "baseline", [green], [100], worst=50, direction=direction)
    assert found.outcome == outcome
    assert said in found.detail


@pytest.mark.parametrize(("direction", "green"), [("decrease", 70.0), ("either", 70.0), ("either", 130.0)])
def test_the_u_test_looks_the_same_way(direction: str, green: float) -> None:
    found = compare("rate", "baseline", [green] * 8, [100.0] * 8, worst=50, direction=direction)
    assert found.outcome is Outcome.FAILED
    assert "holds that for no chance" in found.detail


def test_below_zero_more_is_still_more() -> None:
    found = compare("gap", "baseline", [-10], [-20], worst=40)
    assert found.outcome is Outcome.FAILED
    assert found.detail == "green's gap is -10, blue's was -20 before the shift (+50 %), at most 40 % worse allowed"


@pytest.mark.parametrize(
    ("green", "noise", "outcome"), [(3, 2, "failed"), (2, 2, "passed"), (0, 0, "passed"), (1, 0, "failed")]
)
def test_nothing_before_is_judged_by_the_difference(green: float, noise: float, outcome: str) -> None:
    found = compare("errors", "baseline", [green], [0, 0, 0], worst=50, noise=noise)
    none = f"0 has no percentage: at most {noise} of difference"
    said = f"green's errors is {green} on average, blue's was 0 before the shift ({none}"
    assert found.outcome == outcome
    few = "; too few points (1 and 3, 8 needed) for a Mann-Whitney judgement" if outcome == "passed" else ""
    assert found.detail == f"{said} allowed){few}"
    assert found.values["percent"] is None


@pytest.mark.parametrize(
    ("green", "blue", "said"),
    [
        ([], [1.0], "no datapoints of p95 for green: nothing to compare"),
        ([1.0], [], "no datapoints of p95 for blue before the shift: nothing to compare"),
        ([], [], "no datapoints of p95 for green and blue before the shift: nothing to compare"),
    ],
)
def test_no_points_are_skipped(green: Sample, blue: Sample, said: str) -> None:
    found = latency(green, blue)
    assert (found.outcome, found.detail, found.name) == (Outcome.SKIPPED, said, "baseline:p95")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (1234.4, "1234 %"),
        (100.0, "100 %"),
        (12.34, "12.3 %"),
        (0.012345, "0.0123 %"),
        (-0.5, "-0.5 %"),
        (1e300, "1e+300 %"),
    ],
)
def test_values_are_said_briefly(value: float, said: str) -> None:
    assert f"is {said}, blue" in compare("cpu", "baseline", [value], [1.0], worst=50, unit="%").detail


@given(green=EXACT, blue=EXACT, shift=st.integers(0, 500), noise=st.integers(0, 50), worst=st.integers(0, 200))
@example(green=[2.0], blue=[1.0], shift=1, noise=0, worst=0)
def test_what_fails_does_not_pass_when_green_gets_worse(
    green: Sample, blue: Sample, shift: int, noise: int, worst: int
) -> None:
    moved = [x + shift for x in green]
    assume(0 not in map(statistics.median, (green, blue, moved)))  # or means are compared
    if compare("p95", "baseline", green, blue, worst=worst, noise=noise).outcome is Outcome.FAILED:
        assert compare("p95", "baseline", moved, blue, worst=worst, noise=noise).outcome is Outcome.FAILED


@given(green=EXACT, blue=EXACT, noise=st.integers(0, 50))
def test_nothing_fails_within_the_noise(green: Sample, blue: Sample, noise: int) -> None:
    assume(0 not in (statistics.median(green), statistics.median(blue)))
    apart = statistics.median(green) - statistics.median(blue)
    found = compare("p95", "baseline", green, blue, worst=0, noise=noise)
    if apart <= noise:
        assert found.outcome is Outcome.PASSED
    if found.outcome is Outcome.PASSED and noise < apart:
        assert round(apart / abs(statistics.median(blue)) * 100, 1) == 0


@given(green=EXACT, blue=EXACT, direction=st.sampled_from(DIRECTIONS), noise=st.integers(0, 50))
def test_values_go_into_json(green: Sample, blue: Sample, direction: str, noise: int) -> None:
    found = compare("p95", "baseline", green, blue, worst=50, noise=noise, direction=direction)
    document = json.loads(json.dumps(dict(found.values), allow_nan=False))
    assert set(document) == {"green", "blue", "percent"}
    middle = statistics.mean if 0 in (statistics.median(green), statistics.median(blue)) else statistics.median
    assert math.isclose(document["green"], middle(green), rel_tol=1e-5)
