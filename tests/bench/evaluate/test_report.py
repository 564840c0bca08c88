"""The report with its tables, targets and figures (bench/evaluate/report.py, tables.py, targets.py, results.py, plots.py)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from navplan.bench.evaluate.plots import draw_all
from navplan.bench.evaluate.report import console_text, fill, filled, readme_text, report_text
from navplan.bench.evaluate.results import CALIBRATION, FRONT, RESULTS, front_rows, read_front
from navplan.bench.evaluate.run import read_evidence
from navplan.bench.evaluate.suite import Checkpoints, Note, Setting, Suite, load_suite, suite_names
from navplan.bench.evaluate.summary import Estimate
from navplan.bench.evaluate.tables import Evidence, ablation_table, number, parts_table, percent, share, signed, spread
from navplan.bench.evaluate.targets import missed, target_checks, targets_table
from navplan.errors import FileFormatError
from tests.support.folders import CHECKOUT
from tests.support.suites import row

# Where the table of a committed report is shown.
SHOWN = {
    "paper-2d": CHECKOUT / "README.md",
    "long-horizon": CHECKOUT / "README.md",
    "ablations": CHECKOUT / "docs" / "ablations.md",
    "ablations-maze": CHECKOUT / "docs" / "ablations.md",
    "paper-recipe": CHECKOUT / "docs" / "training.md",
    "robust": CHECKOUT / "docs" / "robustness.md",
}


def suite(name: str = "paper-2d") -> Suite:
    return replace(load_suite(name), draws=200)


def evidence() -> Evidence:
    """Hard problems of one and twenty agents for four methods; navplan with a contact and too high a cost at twenty."""
    rows = []
    for method in ("policy", "sorb", "constrained-policy", "navplan"):
        for agents in (1, 20):
            for problem in range(4):
                for seed in range(3):
                    cost = {"navplan": 1.0, "policy": 4.0}.get(method, 3.0) * (1 if agents == 1 else 7) + 0.1 * problem
                    one = row(method=method, agents=agents, problem=problem, train_seed=seed, cost_max=cost, cost_mean=cost / 2)
                    one |= {"oracle_cost_max": 0.5 * agents, "steps_total": 9 * agents}
                    if agents == 20 and problem == 0 and (method != "navplan" or seed == 2):
                        one |= {"success": False, "agent_contacts": 2, "status": "contact"}
                    rows.append(one)
    return Evidence(suite(), rows, front=[[0.0, 10.0, 0.3], [1.0, 8.0, 0.9]])


def test_numbers_for_people() -> None:
    assert number(2.005) == "2.00"
    assert number(0.1 + 0.2, 1) == "0.3"
    assert number(-0.001) == "0.00"
    assert number(float("nan")) == "-"
    assert (percent(1.0), percent(0.985), percent(2 / 3)) == ("100 %", "98.5 %", "66.7 %")
    assert spread(Estimate(1.0, 0.5, 1.5)) == "1.00 [0.50, 1.50]"
    assert share(Estimate(0.9, 0.8, 1.0)) == "90 % [80, 100]"
    assert share(Estimate(1.0, 1.0, 1.0)) == "100 %"
    assert signed(Estimate(0.5, -0.25, 1.0), 1) == "+0.5 [-0.2, +1.0]"


def test_targets_say_what_was_not_reached_and_why() -> None:
    noted = replace(suite(), notes=(Note("center-dot", "hard", "The passage is too narrow", 20),))
    found = {(v.group.where[2], v.what): v for v in target_checks(replace(evidence(), suite=noted))}
    assert found[1, "cost_max"].reached
    assert found[20, "success"].reached  # the median over seeds
    cost = found[20, "cost_max"]
    assert cost.reached  # the oracle pays 10, so 11 is allowed
    assert cost.target == "6.0 is below the oracle's 10.00: at most 11.00"
    low = Evidence(noted, [{**one, "oracle_cost_max": 0.5} for one in evidence().rows])
    left = missed(low)
    assert left == [
        "center-dot, hard, 1 and 20 agents: cost_max / oracle's is 2.30 and 14.30, to reach was at most 1.15. "
        "The passage is too narrow",
        "center-dot, hard, 20 agents: cost_max is 7.15, to reach was at most 6.0; the oracle pays 0.50, this is 14.30 times as "
        "much",
    ]
    table = targets_table(low)
    assert "of 12 runs, 1 with a contact (training seed 2)" in table.markdown()
    assert "**no**" in table.markdown()
    assert not target_checks(replace(evidence(), suite=replace(noted, name="mine")))


def test_misses_of_one_kind_share_a_sentence() -> None:
    noted = replace(load_suite("long-horizon"), notes=(Note("maze-wide", "half", "It is narrow"), Note("maze-wide", "easy", "-")))
    rows = [
        row(map="maze-wide", difficulty="half", agents=agents, cost_max=agents + 1.0, oracle_cost_max=1.0)
        for agents in (1, 5, 10)
    ]
    assert missed(Evidence(noted, rows)) == [
        "maze-wide, half, 1, 5 and 10 agents: cost_max / oracle's is 2.00, 6.00 and 11.00, to reach was at most 1.25. "
        "It is narrow"
    ]


def test_the_report_shows_both_scorings() -> None:
    text = report_text(evidence(), [Path("figures/success.png"), Path("figures/success.svg")])
    line = next(line for line in text.splitlines() if "| 20 | SoRB + CBS |" in line)
    cells = [cell.strip() for cell in line.split("|")[1:-1]]
    assert cells[4] == "11.96 ± 3.31 (100 %)"
    assert cells[5] == "21.15 (100 %)"  # the paper's scoring does not look at contacts
    assert cells[6] == "75 % [25, 100]"
    assert cells[7] == "100 %"
    assert "![success](figures/success.png)" in text
    assert ".svg" not in text
    assert "SoRB + CBS" in console_text(evidence())
    assert report_text(Evidence(suite(), []), []) == "# paper-2d\n\nNo task is done.\n"


def test_baselines_with_the_same_execution_have_a_table_and_figures_of_their_own(tmp_path: Path) -> None:
    plain = replace(evidence(), suite=replace(suite(), settings=tuple(s for s in suite().settings if not s.part)))
    assert "With the same execution" not in report_text(plain, [])
    alike = ("sorb+filter", "sorb+synchronised")
    settings = (*plain.suite.settings, *(Setting(method, "default", {}, Checkpoints()) for method in alike))
    rows = [{**one, "method": method, "cost_max": 2.0} for method in alike for one in plain.rows if one["method"] == "sorb"]
    whole = replace(plain, suite=replace(suite(), settings=settings), rows=[*plain.rows, *rows])
    table = parts_table(whole)
    assert table.header[3:] == ("navplan", "SoRB + CBS + filter", "SoRB + CBS, synchronised")
    assert table.lines[1][2:5] == ("20", "100 %, 7.15 [7.03, 7.23], 1.12×", "75 %, 2.00 [2.00, 2.00], 1.12×")
    text = report_text(whole, [])
    assert "## With the same execution" in text
    assert "| 20 | SoRB + CBS + filter |" in text
    assert "SoRB + CBS + filter" not in readme_text(whole).split("The baselines with")[0]
    names = {path.stem for path in draw_all(tmp_path, whole)}
    assert {"success", "success-same-execution", "cost", "cost-same-execution"} <= names


def test_ablations_are_paired_with_their_base() -> None:
    rows = [row(setting=name, problem=p, cost_max=c + p) for name, c in (("base", 1.0), ("hops", 3.0)) for p in range(4)]
    table = ablation_table(Evidence(suite("ablations"), rows))
    assert table.lines[0][3] == "**base**"
    assert table.lines[0][9] == "-"
    assert table.lines[1][9] == "+2.00 [+2.00, +2.00]"


def test_tables_survive_a_round_trip(tmp_path: Path) -> None:
    rows = [row(plan_cost=1.25, reason="a, b"), row(problem=1, cost_max=1 / 3, success=False, status="contact")]
    RESULTS.write(tmp_path / "results.csv", rows)
    back = RESULTS.read(tmp_path / "results.csv")
    assert back[0] == {**rows[0], "reason": "a, b"}
    assert back[1]["cost_max"] == 0.333333
    assert RESULTS.text_of(back) == (tmp_path / "results.csv").read_text()
    FRONT.write(tmp_path / "front.csv", front_rows([[0.0, 10.0, 0.5]]))
    assert read_front(tmp_path / "front.csv") == [[0.0, 10.0, 0.5]]
    (tmp_path / "bad.csv").write_text("suite,map\nx,y\n")
    with pytest.raises(FileFormatError, match=r"bad.csv:1: has no column 'map_sha256'"):
        RESULTS.read(tmp_path / "bad.csv")
    text = (tmp_path / "results.csv").read_text().replace("true", "yes", 1)
    (tmp_path / "bad.csv").write_text(text)
    with pytest.raises(FileFormatError, match=r"bad.csv:2: malformed cell: success is 'yes'"):
        RESULTS.read(tmp_path / "bad.csv")


def test_figures_are_drawn(tmp_path: Path) -> None:
    files = draw_all(tmp_path, evidence())
    assert sorted({path.stem for path in files}) == ["cost", "pareto", "success"]
    assert all(path.stat().st_size > 5000 for path in files)


def test_calibration_is_drawn_and_read_back(tmp_path: Path) -> None:
    own = {"map": "center-dot", "train_seed": 0, "mae": 0.2, "bias": -0.1, "error": 0.1, "arrived_share": 1.0}
    bins = {"predicted": 1.0, "realised": 1.25, "deviation": 0.1, "count": 40}
    rows = [{**own, **bins, "quantity": quantity} for quantity in ("steps", "cost")]
    CALIBRATION.write(tmp_path / "calibration.csv", rows)
    assert CALIBRATION.read(tmp_path / "calibration.csv") == rows
    files = draw_all(tmp_path, Evidence(suite(), [row()], calibration=rows))
    assert "calibration.svg" in {path.name for path in files}


def test_a_readme_is_filled_between_its_markers(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text("# x\n<!-- paper-2d table: begin -->\nold\n<!-- paper-2d table: end -->\nend\n")
    fill(page, evidence())
    text = page.read_text()
    assert "old" not in text
    assert text.startswith("# x\n")
    assert text.endswith("<!-- paper-2d table: end -->\nend\n")
    assert "| center-dot | hard | 20 | 8.36 |" in text
    assert readme_text(evidence()) in text
    assert filled(page, evidence()) == text
    page.write_text("no markers")
    with pytest.raises(FileFormatError, match="expected the lines <!-- paper-2d table: begin -->"):
        fill(page, evidence())


def test_the_readme_holds_the_tables_of_the_committed_reports() -> None:
    for name in suite_names():
        folder = CHECKOUT / "reports" / name
        if folder.is_dir():
            assert filled(SHOWN[name], read_evidence(load_suite(name), folder)) == SHOWN[name].read_text(encoding="utf-8")
