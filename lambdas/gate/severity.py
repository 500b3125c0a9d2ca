"""Which severity a check or a finding counts with: the user's, else the declared one. Decided here alone. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Optional

from gate.overrides import Overrides
from gate.verdict import Finding, Severity, severity_for, skipped


@dataclass(frozen=True)
class Severities:
    """The severities of one deployment.

    `checks`: the option. `overrides`: what the deployment's description says; it comes before the option. `says`: what
    messages call that description. `advisory`: nothing is worse than a warning.
    """

    checks: Mapping[str, str]
    overrides: Overrides
    says: str
    advisory: bool

    def of(self, name: str, declared: Severity = Severity.FAIL) -> Severity:
        """The severity that a check or finding of this name counts with."""
        by_option = severity_for(name, declared, self.checks)
        return _softened(severity_for(name, by_option, self.overrides.own), self.advisory)

    def of_finding(self, finding: Finding, check: str, declared: Severity = Severity.FAIL) -> Severity:
        """The user's severity for the finding's name, else for its check's, else its own, else the declared one."""
        severity = self.of(check, finding.severity or declared)
        severity = self.of(finding.name, severity) if finding.name else severity
        return _softened(severity, finding.advisory)

    def left_out(self, name: str, declared: Severity = Severity.FAIL) -> Optional[Finding]:
        """What is found where the user has left out the check or finding of this name; None if it is to be made."""
        return skipped(self._left_out(name), opted_out=True) if self.of(name, declared) is Severity.SKIP else None

    def count(self, finding: Finding, check: str, declared: Severity) -> tuple[Finding, Severity]:
        """The finding as it counts, and its severity: of one that is left out, what was found is only told."""
        severity = self.of_finding(finding, check, declared)
        if severity is Severity.SKIP and not finding.opted_out:
            said = f"{self._left_out(finding.name or check)} (found: {finding.detail})"
            return skipped(said, finding.name, opted_out=True), severity
        return finding, severity

    def _left_out(self, name: str) -> str:
        by_description = severity_for(name, Severity.FAIL, self.overrides.own) is Severity.SKIP
        return f"left out by {self.says if by_description else 'the option `checks`'}"


def _softened(severity: Severity, advisory: bool) -> Severity:
    return Severity.WARN if advisory and severity is Severity.FAIL else severity
