"""What every planner shares: the base class, how a search ends early, the clock."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, cast

import numpy as np

from navplan.errors import InvalidProblem
from navplan.graph.prepared import PreparedGraph
from navplan.graph.state_graph import StateGraph
from navplan.plan.plan import Plan
from navplan.plan.problem import GRID_CLEARANCE, Problem
from navplan.system.arrays import Float64

Guarantee = Literal["optimal", "bounded", "none"]
# How far a planner tells bodies apart that have room in different places.
Bodies = Literal["one", "nodes", "edges"]
# Costs that differ by less, relatively, are one cost summed in two orders.
SAME = 1e-11


class Planner(ABC):
    """A frozen dataclass of options; its class says what it can do and what it promises.

    A planner sets `name` and defines `plan`; all else has a default. Its fields are its options, each with a default of its own;
    one is usually `time_limit`.

    Attributes:
        name: as registered.
        guarantee: what a solved plan proves about the sum of costs.
        about: one line.
        graphs: kinds of graph, in words.
        max_agents: agents it can plan for, None for any number.
        any_clearance: keeps bodies apart by any clearance; False: it avoids shared nodes and swaps only.
        bodies: tells bodies apart that have room at different nodes ("nodes"; each edge as wide as its ends, as on grids), or
            that may use different edges too ("edges"), or plans for bodies that all have room in the same places ("one").
        keeps_budget: keeps the risk budget of a problem.
        stepwise: each time step follows from the one before by a step of PIBT, so that a lifelong run takes one at a time.
        kernels: dotted names of the kernel modules that it spends its time in; they are compiled before its time counts.
        parts: planners that it is made of, which are compiled side by side.
    """

    __slots__ = ()

    name: ClassVar[str]
    guarantee: ClassVar[Guarantee] = "none"
    about: ClassVar[str] = ""
    graphs: ClassVar[str] = "grids and state graphs; directed, any costs"
    max_agents: ClassVar[int | None] = None
    any_clearance: ClassVar[bool] = True
    bodies: ClassVar[Bodies] = "one"
    keeps_budget: ClassVar[bool] = False
    stepwise: ClassVar[bool] = False
    kernels: ClassVar[tuple[str, ...]] = ()
    parts: ClassVar[tuple[type[Planner], ...]] = ()

    @property
    def time_limit(self) -> float | None:
        """Wall seconds for one plan, tables included; None for no limit."""
        return None

    def supports(self, problem: Problem) -> str | None:
        """None when it can plan for `problem`, else one line that says why not.

        By default that follows from the class variables. A planner with more to say asks them first:
        ``return Planner.supports(self, problem) or ...``.
        """
        if self.max_agents is not None and problem.num_agents > self.max_agents:
            return (
                f"planner {self.name} plans for {self.max_agents} agent and would let {problem.num_agents} collide; "
                f"use one for many agents, such as cbs or ecbs"
            )
        if problem.risk_budget is not None and not self.keeps_budget:
            return f"planner {self.name} cannot keep a risk budget; use risk, or give risk a weight with beta"
        kept = GRID_CLEARANCE if problem.graph.is_grid else 0.0
        if problem.spacing > kept and not self.any_clearance:
            return (
                f"planner {self.name} plans with clearance 0: it avoids shared nodes and swaps only, which on grids keeps agents "
                f"{GRID_CLEARANCE:.2f} apart; here the clearance is {problem.spacing:g}, so use ecbs or cbs"
            )
        if problem.forbidden is not None and self.bodies != "edges":
            return (
                f"planner {self.name} cannot keep agents off edges that are forbidden to them alone; use ecbs, cbs, eecbs, "
                "prioritized, pbs, lns, pibt or lacam"
            )
        if self.bodies != "edges" and needed_bodies(problem) not in ("one", self.bodies):
            return (
                f"planner {self.name} plans for bodies that have room in the same places; radii {problem.radii.min():g} to "
                f"{problem.radii.max():g} have not, so use ecbs or cbs"
            )
        return None

    def eager(self) -> Planner:
        """A variant that uses every kernel at once and stops soon, for compiling them; by default the planner itself."""
        return self

    def prepare(self, graph: StateGraph) -> Any:
        """Work that depends on the graph alone and can be used for many problems on it.

        By default a `PreparedGraph`, which makes what is asked for when it is.
        """
        return PreparedGraph(graph)

    def prepared(self, graph: PreparedGraph, deadline: float | None) -> Any:
        """What `prepare` returns, taken from a prepared graph where it is there.

        Raises:
            OutOfTime: the deadline on `time.perf_counter` has passed.
        """
        Clock(deadline).check()
        if type(self).prepare is Planner.prepare:
            return graph
        return graph.kept(self, lambda: self.prepare(cast(StateGraph, graph.graph)))

    @abstractmethod
    def plan(self, problem: Problem, state: Any, *, deadline: float | None, rng: np.random.Generator) -> Plan:
        """Plan for every agent.

        Args:
            problem: the task, on the graph given to `prepare`; one that it `supports`.
            state: what `prepare` returned.
            deadline: `time.perf_counter` time at which to give up, or None.
            rng: source of every random choice.
        """


def needed_bodies(problem: Problem) -> Bodies:
    """What a planner must tell apart for the radii and the forbidden edges of `problem`."""
    if problem.forbidden is not None:
        return "edges"
    _, fits = problem.bodies()
    if len(fits) == 1:
        return "one"
    graph = problem.graph
    tails = np.repeat(np.arange(graph.num_nodes), np.diff(graph.indptr))
    for fit in fits:
        nodes, edges = graph.has_room(fit.radius)
        if not edges[nodes[tails] & nodes[graph.indices]].all():
            return "edges"
    return "nodes"


def check_supported(planner: Planner, problem: Problem) -> None:
    """Raise InvalidProblem, with the planner's own line, unless it can plan for `problem`."""
    why = planner.supports(problem)
    if why is not None:
        raise InvalidProblem(why)


class OutOfTime(Exception):
    """The deadline has passed."""


class Infeasible(Exception):
    """No plan exists; the message says why."""


class GaveUp(Exception):
    """A limit other than time was reached; the message says which."""


@dataclass(frozen=True)
class Clock:
    """A deadline on `time.perf_counter`, None for none; `tick` is called whenever it is looked at."""

    deadline: float | None
    tick: Callable[[], None] | None = None

    @property
    def passed(self) -> bool:
        """True past the deadline."""
        return self.deadline is not None and time.perf_counter() >= self.deadline

    def check(self) -> None:
        """Raise OutOfTime past the deadline."""
        if self.passed:
            raise OutOfTime
        if self.tick is not None:
            self.tick()


def check_reachable(problem: Problem, alone: Float64) -> None:
    """Raise Infeasible, naming the first, where agents cannot reach their goals even alone.

    Args:
        alone: (A,) cost of each agent's cheapest path, inf where there is none.
    """
    lost = np.flatnonzero(np.isinf(alone))
    if not lost.size:
        return
    agent = int(lost[0])
    more = f" (nor can {lost.size - 1} others)" if lost.size > 1 else ""
    ends = f"from node {problem.starts[agent]} to node {problem.goals[agent]}"
    raise Infeasible(f"agent {agent} cannot reach its goal: no way {ends}{more}")
