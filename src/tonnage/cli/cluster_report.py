"""What was found out about the clusters of regions: for people, and as JSON for scripts."""

from dataclasses import dataclass
from typing import Any

import click

from tonnage.storage.backend import BackendReport, Cluster


@dataclass(frozen=True)
class CheckedCluster:
    """A region, and what its backend said of itself."""

    cluster: Cluster
    report: BackendReport

    def document(self) -> dict[str, Any]:
        """As JSON; `clockSkew` in seconds that the cluster is ahead of us."""
        report = self.report
        return {
            "region": self.cluster.name,
            "backend": self.cluster.backend,
            "adminUrl": self.cluster.admin_url,
            "reachable": report.reachable,
            "credentials": report.credentials,
            "present": report.present,
            "missing": report.missing,
            "clockSkew": report.clock_skew,
            "facts": dict(report.facts),
            "enforced": report.enforced,
            "problems": report.problems,
        }

    def lines(self) -> list[str]:
        """A line of its own for each thing that is known."""
        facts = dict(self.report.facts) if self.cluster.admin_url is None else self._of_cluster()
        lines = [f"{self.cluster.name}: {'unhealthy' if self.report.problems else 'healthy'}"]
        lines += [f"  {name:<12}  {fact}" for name, fact in facts.items() if fact]
        return lines + [f"  {'problem':<12}  {problem}" for problem in self.report.problems]

    def _of_cluster(self) -> dict[str, str]:
        report = self.report
        return {
            "backend": f"{self.cluster.backend} at {self.cluster.admin_url}",
            "reachable": "yes" if report.reachable else "no",
            "credentials": ("accepted" if report.credentials else "not accepted") if report.reachable else "",
            "capabilities": ", ".join(report.present),
            "missing": ", ".join(report.missing),
            "clock": "" if report.clock_skew is None else f"{report.clock_skew:+.1f} s",
            **dict(report.facts),
            "enforced": "; ".join(report.enforced),
        }


def warn(name: str, report: BackendReport) -> None:
    """Reports what is wrong with the region of that name. The region is kept: its cluster may only be down."""
    for problem in report.problems:
        click.echo(f"Warning: {problem}", err=True)
    if report.problems:
        click.echo(f"The region was saved. Check it again with: tonnage region check {name}", err=True)
