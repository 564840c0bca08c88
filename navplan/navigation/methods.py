"""Ways to navigate: what each chooses of graph, planning and driving, and the options that choose otherwise."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from navplan.control.disturbance import Disturbance
from navplan.errors import InvalidInput, UnknownName
from navplan.execution.synchronised import Settings
from navplan.graph.limits import Weight
from navplan.graph.nodes import NodeChoice
from navplan.system.names import Registry

ExecutionName = Literal["synchronised", "waypoints"]
BodyName = Literal["disc", "point"]
FilterName = Literal["with-walls", "without-walls", "none"]

DEFAULT_BETA = 4.0


@dataclass(frozen=True)
class GraphChoice:
    """Which graph is planned on.

    Attributes:
        nodes: how nodes are chosen from the checkpoint's states.
        graph_nodes: how many, fewer if it has fewer; None: one per cell of the map, 600 to 3000.
        reach: longest edge in environment steps, where the scenario's own limit is not shorter. An edge is one time step of the
            plan, so edges of like length keep the plan's time close to the time it takes to drive it.
        max_distance: longest edge, whatever `reach` and the scenario say; None leaves it to them.
        prune: drop edges by risk.
        max_risk: limit of pruning; None: the scenario's.
        lane: edges are priced as lanes of this half width, cells (`navplan.graph.lanes`); 0: as lines.
    """

    nodes: NodeChoice = "coverage"
    graph_nodes: int | None = None
    reach: float = math.inf
    max_distance: float | None = None
    prune: bool = True
    max_risk: float | None = None
    lane: float = 0.0


@dataclass(frozen=True)
class PlanningChoice:
    """How it is planned.

    Attributes:
        planner: multi-agent planner; "ecbs" keeps within `suboptimality` of the optimum.
        suboptimality: w of a bounded planner.
        weight: "cost" or "hops".
        weighs_risk: edge cost has the risk term.
        beta: weight of risk against distance.
        clearance: of the planning problem, cells; None: ``2 * radius`` and `spare`.
        spare: planned clearance beyond ``2 * radius``, cells; given up where starts or goals are closer than that.
        time_limit: seconds per planning call; with `max_expansions` none.
        max_expansions: conflict-tree nodes per planning call, a budget that is the same on every machine.
    """

    planner: str = "ecbs"
    suboptimality: float = 1.1
    weight: Weight = "cost"
    weighs_risk: bool = True
    beta: float = DEFAULT_BETA
    clearance: float | None = None
    spare: float = 0.2
    time_limit: float = 10.0
    max_expansions: int | None = None


@dataclass(frozen=True)
class DrivingChoice:
    """How the plan is driven.

    Attributes:
        low_level: who drives, a name as `navplan.control.registry.get` knows them.
        execution: "synchronised" keeps the plan's order of passage and bodies apart, and replans; "waypoints" lets every agent
            follow its own waypoints, as the published evaluation does (`navplan.execution.waypoints`).
        environment: where it is driven, a name as `navplan.scenarios.environments.registry.get` knows them.
        body: what walls stop, a disc or, as in the paper, its centre alone (`navplan.scenarios.environments.point`).
        filter: what the safety filter, which keeps bodies apart, knows: where the environment says that moves end, walls and
            all ("with-walls"), or positions and free motion alone ("without-walls", `navplan.execution.free_motion`); "none":
            there is none, and contacts happen and are recorded.
        settings: of the synchronised execution.
    """

    low_level: str = "policy"
    execution: ExecutionName = "synchronised"
    environment: str = "point"
    body: BodyName = "disc"
    filter: FilterName = "with-walls"
    settings: Settings = field(default_factory=Settings)


@dataclass(frozen=True)
class Method:
    """One way to navigate.

    Attributes:
        summary: one line.
        plans: search a graph and execute the plan; otherwise the low level acts alone.
        constrained: the safety-constrained policy drives; otherwise the unconstrained one of the first training stage.
        graph, planning, driving: what it chooses, unless the options choose otherwise.
    """

    summary: str
    plans: bool = True
    constrained: bool = True
    graph: GraphChoice = GraphChoice()
    planning: PlanningChoice = PlanningChoice()
    driving: DrivingChoice = DrivingChoice()

    def prepared(self, expects: Disturbance) -> Method:
        """The method prepared for what may go wrong: the one place where what is stated becomes margins and room.

        Execution is told (`Settings.expects`): positions are observed, bodies kept apart by what noise may do, moves decided for
        when they are made. Plans leave that room between any two agents whose moves stray (`PlanningChoice.spare`); positions
        that are told inexactly are soon known better than told, so the usual room does.
        """
        settings = dataclasses.replace(self.driving.settings, expects=expects)
        spare = max(self.planning.spare, settings.margin + 2.0 * expects.stray if expects.stray else 0.0)
        return dataclasses.replace(
            self,
            planning=dataclasses.replace(self.planning, spare=spare),
            driving=dataclasses.replace(self.driving, settings=settings),
        )


_CONSTRAINED_SEARCH = Method(
    "as published: risk-pruned graph, hop count, CBS, waypoints without synchronisation, constrained policy",
    graph=GraphChoice(nodes="uniform", graph_nodes=1000),
    planning=PlanningChoice(planner="cbs", weight="hops", weighs_risk=False, clearance=0.0),
    driving=DrivingChoice(execution="waypoints", filter="none"),
)
_SORB = Method(
    "as published: graph without risk, shortest distance, CBS, waypoints without synchronisation, unconstrained policy",
    constrained=False,
    graph=GraphChoice(prune=False, nodes="uniform", graph_nodes=1000),
    planning=PlanningChoice(planner="cbs", weighs_risk=False, clearance=0.0),
    driving=DrivingChoice(execution="waypoints", filter="none"),
)
_CONSTRAINED_POLICY = Method(
    "the constrained policy alone, straight to the goal", plans=False, driving=DrivingChoice(filter="none")
)
_POLICY = Method(
    "the unconstrained policy alone, straight to the goal", plans=False, constrained=False, driving=DrivingChoice(filter="none")
)


def _with(method: Method, name: str, part: str, driving: DrivingChoice) -> Method:
    return dataclasses.replace(method, summary=f"{name}, with {part} of navplan", driving=driving)


_FILTER, _EXECUTION = "the safety filter", "the synchronised execution (safety filter included)"
METHODS: dict[str, Method] = {
    "navplan": Method(
        "risk-pruned graph, distance + beta * risk, multi-agent search, constrained policy",
        graph=GraphChoice(lane=0.25, reach=2.5),
    ),
    "constrained-search": _CONSTRAINED_SEARCH,
    "sorb": _SORB,
    "constrained-policy": _CONSTRAINED_POLICY,
    "policy": _POLICY,
    # The same with what navplan drives with, so that what each part buys can be told.
    "constrained-search+filter": _with(_CONSTRAINED_SEARCH, "constrained-search", _FILTER, DrivingChoice(execution="waypoints")),
    "sorb+filter": _with(_SORB, "sorb", _FILTER, DrivingChoice(execution="waypoints")),
    "constrained-policy+filter": _with(_CONSTRAINED_POLICY, "constrained-policy", _FILTER, DrivingChoice()),
    "policy+filter": _with(_POLICY, "policy", _FILTER, DrivingChoice()),
    "constrained-search+synchronised": _with(_CONSTRAINED_SEARCH, "constrained-search", _EXECUTION, DrivingChoice()),
    "sorb+synchronised": _with(_SORB, "sorb", _EXECUTION, DrivingChoice()),
}


_OTHERS: Registry[Method] = Registry("method", {}, "navplan.methods")


def method_names() -> list[str]:
    """Names of all methods: those of METHODS, then those of other distributions (entry points `navplan.methods`)."""
    return [*METHODS, *(name for name in _OTHERS.names() if name not in METHODS)]


def method_named(name: str) -> Method:
    """The method called `name`.

    Raises:
        UnknownName: there is none; the message suggests the nearest.
        BrokenPlugin: another distribution's cannot be imported.
        InvalidInput: another distribution's is no Method.
    """
    if name in METHODS:
        return METHODS[name]
    if name not in _OTHERS.names():
        raise UnknownName("method", str(name), method_names())
    found = _OTHERS.get(name)
    if not isinstance(found, Method):
        raise InvalidInput(f"method {name!r} is a {type(found).__name__}, expected a navplan.navigation.methods.Method")
    return found


def broken() -> dict[str, str]:
    """Names of methods of other distributions that cannot be used, and why."""
    return _OTHERS.broken(method_named)


@dataclass(frozen=True, kw_only=True)
class Options:
    """What is chosen otherwise than the method does: fields of its three choices by their own names, None for those left to it.

    Attributes:
        seed: of node choice and planner.
        nodes, graph_nodes, max_distance, prune, max_risk, lane: as in `GraphChoice`.
        planner, suboptimality, weight, beta, spare, time_limit, max_expansions: as in `PlanningChoice`.
        low_level, execution, environment, body, filter, settings: as in `DrivingChoice`.
    """

    seed: int = 0
    nodes: NodeChoice | None = None
    graph_nodes: int | None = None
    max_distance: float | None = None
    prune: bool | None = None
    max_risk: float | None = None
    lane: float | None = None
    planner: str | None = None
    suboptimality: float | None = None
    weight: Weight | None = None
    beta: float | None = None
    spare: float | None = None
    time_limit: float | None = None
    max_expansions: int | None = None
    low_level: str | None = None
    execution: ExecutionName | None = None
    environment: str | None = None
    body: BodyName | None = None
    filter: FilterName | None = None
    settings: Settings | None = None

    def applied(self, method: Method) -> Method:
        """`method` with the choices that these options make instead."""
        chosen = {option.name: getattr(self, option.name) for option in dataclasses.fields(self)}
        return dataclasses.replace(
            method,
            graph=_replaced(method.graph, chosen),
            planning=_replaced(method.planning, chosen),
            driving=_replaced(method.driving, chosen),
        )


Choice = TypeVar("Choice", GraphChoice, PlanningChoice, DrivingChoice)


def _replaced(choice: Choice, values: Mapping[str, Any]) -> Choice:
    """`choice` with those of its fields that have a value."""
    names = [part.name for part in dataclasses.fields(choice)]
    return dataclasses.replace(choice, **{name: values[name] for name in names if values.get(name) is not None})
