from __future__ import annotations

import numpy as np

from navplan.navigation.navigate import METHODS, Options, build_roadmap, navigate
from navplan.scenarios.problems.draw import draw_problem
from navplan.scenarios.registry import load_scenario
from tests.support.critics import AnalyticCritics


def test_a_roadmap_is_shared_by_problems_and_changes_nothing():
    scenario = load_scenario("center-dot")
    critics = AnalyticCritics(scenario.world)
    options = Options(low_level="straight-line", graph_nodes=120, max_expansions=200)
    for method in ("navplan", "constrained-search"):
        how = options.applied(METHODS[method])
        roadmap = build_roadmap(scenario, critics, how, options)
        starts, goals = draw_problem(scenario.world, 3, np.random.default_rng(0), distance=(8, 8), radius=0.25)
        shared = navigate(scenario, critics, starts, goals, method=method, options=options, roadmap=roadmap)
        alone = navigate(scenario, critics, starts, goals, method=method, options=options)
        np.testing.assert_array_equal(shared.trajectory.states, alone.trajectory.states)
        assert shared.graph_s < alone.graph_s
