"""What came out of a lifelong drive, in a few lines."""

from __future__ import annotations

from navplan.planners.lifelong.lifelong import LifelongRun

_SHOWN = 20
"""Violations."""


def describe(run: LifelongRun) -> str:
    """Throughput, how long goals took, what planning took, and what went wrong."""
    facts = run.summary()
    service, planning = facts["service_steps"], facts["planning_s"]
    lines = [
        f"{run.planner}: {facts['agents']} agents, {run.steps} steps, {run.reached} goals reached, {run.throughput:.3f} a step"
    ]
    if service is not None:
        lines.append(
            f"from giving to reaching a goal: median {service['median']:g} steps, 95 % within {service['p95']:g}, "
            f"longest {service['max']:g}; waiting {100 * facts['wait_share']:.1f} % of the time"
        )
    if planning["per_call"] is not None:
        lines.append(
            f"planning: {1e3 * planning['per_step']:.3g} ms a step, {planning['calls']} plans, slowest "
            f"{1e3 * planning['per_call']['max']:.3g} ms; {run.failures} without a plan, {run.delayed} goals delayed"
        )
    lines += [f"INVALID: {text}" for text in run.violations[:_SHOWN]]
    if run.interrupted:
        lines.append("interrupted")
    return "\n".join(lines)
