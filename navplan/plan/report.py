"""What came out of planning, in one line."""

from __future__ import annotations

from navplan.plan.plan import Plan


def describe(plan: Plan) -> str:
    """Planner, status, cost and proof, reason, where walls are known from, and seconds."""
    facts = plan.summary()
    line = f"{plan.planner}: {plan.status}, {plan.num_agents} agents"
    if plan.solved:
        line += f", sum of costs {facts['sum_of_costs']:g}, makespan {facts['makespan']}"
        if facts["suboptimality"] is not None and plan.status == "bounded":
            line += f", at most {100 * (facts['suboptimality'] - 1):.2f} % above the optimum"
    if plan.solved and plan.risk_budget is not None:
        line += f", total risk {plan.total_risk:.4g} within the budget of {plan.risk_budget:g}"
    if plan.reason:
        line += f": {plan.reason}"
    walls = f"; walls: {facts['walls']}" if facts["walls"] else ""
    return f"{line}{walls} ({plan.runtime_s:.3f} s, compiling {plan.compile_s:.1f} s)"
