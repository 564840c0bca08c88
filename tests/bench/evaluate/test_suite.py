"""Suite files and the options in them (bench/evaluate/suite.py, options.py)."""

from __future__ import annotations

from pathlib import Path

import pytest

from navplan.bench.evaluate.options import options_from
from navplan.bench.evaluate.paper import FACTORS
from navplan.bench.evaluate.suite import load_suite, read_suite, suite_names
from navplan.errors import FileFormatError, InvalidInput, UnknownName
from navplan.navigation.methods import METHODS
from tests.support.suites import SUITE, write_suite


def test_the_committed_suites_run_what_they_promise() -> None:
    assert suite_names() == ("ablations", "ablations-maze", "long-horizon", "paper-2d", "paper-recipe", "robust")
    for name in ("paper-2d", "long-horizon"):
        suite = load_suite(name)
        assert suite.split == "test"
        assert suite.problems == 50
        assert suite.train_seeds == (0, 1, 2, 3, 4)
        assert {setting.method for setting in suite.settings} == METHODS.keys()
        searches = [setting for setting in suite.settings if setting.method == "constrained-search"]
        factors = list(FACTORS) if name == "paper-2d" else [0.5]
        assert [float(setting.name) for setting in searches] == factors
        assert [setting.options["max_risk"] for setting in searches] == [10 * factor for factor in factors]
        assert all(sum(s.headline for s in suite.settings if s.method == method) == 1 for method in METHODS)
        assert all(options_from(setting.options).max_expansions for setting in suite.settings)
    paper, long = load_suite("paper-2d"), load_suite("long-horizon")
    assert (paper.budget, paper.budget_factor, paper.agents) == (300, None, (1, 5, 10, 20))
    assert (long.budget, long.budget_factor, long.agents) == (None, 4.0, (1, 5, 10, 20, 50))
    recipe = {setting.label: setting.options for setting in load_suite("paper-recipe").settings}
    same = {setting.label: setting.options for setting in paper.settings}
    shared = sorted(recipe.keys() & same.keys())
    assert len(shared) == 5
    # the parts of navplan's execution are added to the very setting that stands for the method
    for suite in (paper, long):
        (own,) = (s for s in suite.settings if s.headline and s.method == "constrained-search")
        added = [s for s in suite.settings if s.method.startswith("constrained-search+")]
        assert [(s.name, s.options) for s in added] == [(own.name, own.options)] * 2
    assert [recipe[label] for label in shared] == [same[label] for label in shared]
    robust = load_suite("robust")
    assert robust.agents == (5, 20, 50)
    filtered = {name for name in METHODS if name.endswith("+filter")}
    assert {setting.method for setting in robust.settings} == {"navplan", *filtered}
    assert [(setting.method, setting.name) for setting in robust.settings if not setting.prepared] == [("navplan", "unprepared")]
    ours = {name: value for name, value in paper.setting("navplan/default").options.items() if name != "body"}  # discs
    for setting in robust.settings:
        if setting.method == "navplan":
            assert setting.options == {**ours, "suboptimality": 1.5, "max_expansions": 100}
    for name in ("ablations", "ablations-maze"):
        suite = load_suite(name)
        assert suite.base is not None
        assert len(suite.settings) >= 9
        assert suite.train_seeds == (0, 1, 2, 3, 4)


def test_a_suite_file_is_read(tmp_path: Path) -> None:
    text = SUITE + (
        '[[settings]]\nmethod = "navplan"\nname = "x"\nheadline = false\nensemble = 2\nabout = "words"\n'
        'options = { beta = 3, nodes = "uniform", settings = { patience = 4 } }\ncheckpoints = { first = "a-{scenario}" }\n'
        '[[notes]]\nmap = "center-dot"\ndifficulty = "easy"\nagents = 2\ntext = "why"\n[options]\nmax_expansions = 7\n'
        "settings = { margin = 0.1 }\n"
    )
    suite = load_suite(write_suite(tmp_path, text))
    assert suite.name == "quick"
    assert suite.problem_set == str(tmp_path / "problems.csv")
    one = suite.setting("navplan/x")
    options = options_from(one.options)
    assert (options.beta, options.nodes, options.max_expansions) == (3, "uniform", 7)
    assert (options.settings.patience, options.settings.margin) == (4, 0.1)
    assert one.checkpoints.of("m", 0) == "a-m"
    assert one.checkpoints.of("m", 2) == "m-seed2"
    assert one.ensemble == 2
    assert suite.notes[0].text == "why"
    assert options_from(suite.settings[0].options).max_expansions == 7


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("budget = 30", "", "give budget or budget_factor"),
        ("budget = 30", "budget = 30\nbudget_factor = 2.0", "give budget or budget_factor"),
        ("budget = 30", "budget = 0", "quick.toml:7: budget is 0, expected an integer of at least 1"),
        ("budget = 30", "budget = 30\nworkers = 2", "quick.toml:8: unknown key 'workers'"),
        ("agents = [2]", "agents = [2, 2]", "quick.toml:5: agents is [2, 2], expected different values"),
        ("agents = [2]", 'agents = ["2"]', "expected a list of integers of at least 1"),
        ('maps = ["center-dot"]', "maps = []", "expected a list that is not empty"),
        ('method = "policy"', 'method = "polizy"', "method is 'polizy', expected one of navplan"),
        (
            'method = "policy"',
            'method = "policy"\noptions = { betta = 1 }',
            "unknown key 'settings.options.betta' (did you mean beta?), expected",
        ),
        ('method = "policy"', 'method = "policy"\noptions = { beta = "1" }', "beta is '1', expected a number"),
        ('method = "policy"', 'method = "policy"\noptions = { weight = "x" }', "expected 'cost' or 'hops'"),
        ('method = "policy"', 'method = "policy"\noptions = { prune = 1 }', "prune is 1, expected true or false"),
        ('method = "policy"', 'method = "policy"\ncheckpoints = { first = "{x}" }', "expected a name with {scenario} and {seed}"),
        ('method = "policy"', 'method = "constrained-policy"', "two settings are called constrained-policy/default"),
        ("budget = 30", 'budget = 30\nbase = "navplan/x"', "base is 'navplan/x', expected one of policy/default"),
        ("draws = 50", "draws = 50\nconfidence = 1.0", "quick.toml:11: bootstrap.confidence is 1.0"),
    ],
)
def test_a_bad_suite_is_one_line(tmp_path: Path, before: str, after: str, message: str) -> None:
    path = tmp_path / "quick.toml"
    path.write_text(SUITE.replace(before, after, 1))
    with pytest.raises(FileFormatError) as caught:
        read_suite(path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_parts_of_a_suite() -> None:
    suite = load_suite("paper-2d")
    part = suite.narrowed(methods=["navplan", "constrained-search/0.5"], agents=[20, 1], problems=3, train_seeds=[4])
    assert [setting.label for setting in part.settings] == ["constrained-search/0.5", "navplan/default"]
    assert (part.agents, part.problems, part.train_seeds) == ((1, 20), 3, (4,))
    assert suite.narrowed() == suite
    with pytest.raises(UnknownName, match="did you mean 'navplan'"):
        suite.narrowed(methods=["navplam"])
    with pytest.raises(InvalidInput, match="no agents 3, but 1, 5, 10, 20"):
        suite.narrowed(agents=[3])
    with pytest.raises(InvalidInput, match="no training seed 9"):
        suite.narrowed(train_seeds=[9])
    with pytest.raises(InvalidInput, match="has 50 problems of a kind, got 51"):
        suite.narrowed(problems=51)
    with pytest.raises(UnknownName, match="unknown suite 'paper-3d': did you mean 'paper-2d'"):
        load_suite("paper-3d")
