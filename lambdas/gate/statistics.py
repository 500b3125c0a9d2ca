"""The figures of many answers: how many failed, and how long the others took."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gate.options.requests import LATENCIES, Thresholds
from gate.verdict import Finding, failed, passed, skipped

MOST_REASONS = 5  # of failed requests that a message names


@dataclass(frozen=True)
class Statistics:
    """The figures of many answers. `reasons`: why some failed → how many; `latencies`: of the others, sorted, in ms."""

    count: int
    reasons: Mapping[str, int]
    latencies: Sequence[float]

    @classmethod
    def of(cls, outcomes: Iterable[tuple[float, str]]) -> Statistics:
        """Of answers as (latency in ms, why it failed or empty). One that failed has no latency that means anything."""
        answers = list(outcomes)
        latencies = sorted(latency_ms for latency_ms, reason in answers if not reason)
        return cls(len(answers), Counter(reason for _, reason in answers if reason), latencies)

    @property
    def errors(self) -> int:
        """How many failed."""
        return sum(self.reasons.values())

    @property
    def error_rate(self) -> float:
        """Errors per request, 0 to 1."""
        return self.errors / self.count if self.count else 0.0

    def percentile(self, rank: float) -> float:
        """The latency that `rank` percent of the good answers did not exceed (nearest rank), in ms."""
        return self.latencies[max(0, math.ceil(rank * len(self.latencies) / 100) - 1)]

    def latency(self, word: str) -> float:
        """The latency named p50, p90, p95, p99 or max, in ms."""
        return self.percentile(100 if word == "max" else float(word[1:]))


def requests_needed(word: str) -> int:
    """How many requests a latency named p50, …, p99 or max needs, so that at least one lies beyond it."""
    return 1 if word == "max" else math.ceil(100 / (100 - float(word[1:])))


FIGURES = ("error_rate", *LATENCIES)  # what follows the label of judge_statistics


def judge_statistics(label: str, name: str, statistics: Statistics, thresholds: Thresholds) -> list[Finding]:
    """Error rate and latencies of what is called `name`, as findings `<label>:error_rate`, `<label>:p99` ….

    A percentile needs as many requests as leave at least one beyond it (100 for P99); with fewer it is skipped
    and said so.
    """
    findings = [_judge_errors(label, name, statistics, thresholds.most_errors)]
    for word, most in thresholds.latencies().items():
        figure, needed, good = f"{label}:{word}", requests_needed(word), statistics.latencies
        # Counted in requests: one error among the samples must not spare all others the threshold.
        if statistics.count < needed or not good:
            said = f"{word} needs {needed} requests, there were {len(good)} good answers to {statistics.count}"
            findings.append(skipped(said, figure))
            continue
        value = statistics.latency(word)
        slowest = "" if word == "max" else f" (slowest {good[-1]:.0f} ms)"
        found, rounded = f"{word} {value:.0f} ms of {len(good)} answers{slowest}", round(value, 1)
        if value > most:
            findings.append(failed(f"{name}: {found}, at most {most:g} ms allowed", figure, milliseconds=rounded))
        else:
            findings.append(passed(found, figure, milliseconds=rounded))
    return findings


def _judge_errors(label: str, name: str, statistics: Statistics, most: float) -> Finding:
    common = sorted(statistics.reasons.items(), key=lambda each: (-each[1], each[0]))
    reasons = ", ".join(f"{count} times {reason}" for reason, count in common[:MOST_REASONS])
    reasons += f" and {len(common) - MOST_REASONS} other reasons" if len(common) > MOST_REASONS else ""
    text = f"{statistics.errors} of {statistics.count} requests failed ({statistics.error_rate:.2%})"
    label, counted = f"{label}:error_rate", dict(statistics.reasons)
    if statistics.error_rate > most or not statistics.count:
        said = f"{name}: {text}, at most {most:.2%} allowed: {reasons or 'nothing was sent'}"
        return failed(said, label, error_rate=statistics.error_rate, reasons=counted)
    said = f"{text}{': ' if reasons else ''}{reasons}"
    return passed(said, label, error_rate=statistics.error_rate, reasons=counted)
