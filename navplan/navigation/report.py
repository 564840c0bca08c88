"""What came out of a navigation, in a few honest lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_COMPARED = ("success", "reached", "agent_contacts", "wall_contacts", "bumps", "cost_max", "cost_mean", "steps", "steps_mean")


def beside_policy(summary: Mapping[str, Any], policy: Mapping[str, Any]) -> dict[str, Any]:
    """A summary with the outcome of the low level alone on the same problem, its fields named ``policy_…``."""
    return {**summary, **{f"policy_{key}": value for key, value in policy.items() if key in _COMPARED}}


def describe(summary: Mapping[str, Any]) -> str:
    """A few honest lines for people, from the fields of `Navigation.summary`, with those of `beside_policy` or without."""
    lines = [
        f"{summary['scenario']}, {summary['agents']} agents, seed {summary['seed']}, method {summary['method']}, "
        f"{summary['low_level']}",
        *_planning(summary),
    ]
    if summary["cost_mean"] is None:
        lines.append(f"outcome  {summary['status'].upper()}: {summary['reason']}")
        return "\n".join(lines)
    lines += _outcome(summary)
    if summary["reason"] and not summary["success"]:
        lines.append(f"why      {summary['reason']}")
    return "\n".join(lines)


def _planning(summary: Mapping[str, Any]) -> list[str]:
    graph, plan = summary["graph"], summary["plan"]
    lines = []
    if graph is not None:
        lines.append(f"graph    {graph['nodes']} nodes, {graph['edges']} edges kept, {graph['pruned']} pruned as unsafe")
    if plan is not None:
        promise = f", bounded variant within {summary['bound']:g} x optimal" if summary["bound"] else ""
        proved = f", proved within {plan['suboptimality']:.3f} x" if plan["suboptimality"] else ""
        lines.append(f"plan     {summary['planner']}{promise}: {plan['status']}{proved}, {summary['plan_s']:.2f} s")
    return lines


def _outcome(summary: Mapping[str, Any]) -> list[str]:
    agents = summary["agents"]
    lines = [
        f"outcome  {summary['status'].upper()}: {summary['reached']} of {agents} at their goals, "
        f"{_contacts(summary)}, {summary['steps']} steps, {summary['replans']} replans{_known_from(summary)}",
        f"cost     mean {summary['cost_mean']:.2f}, max {summary['cost_max']:.2f}",
    ]
    if summary.get("policy_cost_mean") is not None:
        lines.append(
            f"without  graph, same low level: mean {summary['policy_cost_mean']:.2f}, max {summary['policy_cost_max']:.2f}, "
            f"{summary['policy_reached']} of {agents} at their goals, {_contacts(summary, 'policy_')}"
        )
    return lines


def _contacts(summary: Mapping[str, Any], whose: str = "") -> str:
    agents, walls, bumps = (summary[f"{whose}{name}"] for name in ("agent_contacts", "wall_contacts", "bumps"))
    return f"{agents} agent contacts, {walls} wall contacts, {bumps} bumps"


def _known_from(summary: Mapping[str, Any]) -> str:
    return f"; walls: {summary['walls']}" if summary.get("walls") else ""
