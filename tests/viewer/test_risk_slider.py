from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from navplan.errors import InvalidInput, PlanningFailed
from navplan.execution.trajectory import Trajectory
from navplan.graph.state_graph import StateGraph
from navplan.plan.plan import Plan, make_plan
from navplan.plan.problem import Problem
from navplan.viewer import app as viewer
from navplan.viewer.app import App
from navplan.viewer.render import to_array
from navplan.viewer.risk_choice import REST, RiskChoice, Scale
from navplan.viewer.scene import Scene
from navplan.viewer.toolkit import pygame
from navplan.viewer.worker_thread import WorkerThread
from tests.support.scenes import driven, two_agent_plan, whole_scene

Event = pygame.event.Event


def plan_of(scene: Scene, beta: float) -> Plan:
    """The scene's plan with one more wait per unit of beta, so that each beta has a plan that can be told from others."""
    first = scene.plan
    assert first is not None
    assert scene.graph is not None
    problem = Problem(scene.graph, np.array(first.problem["starts"]), np.array(first.problem["goals"]), beta=beta)
    waits = round(beta)
    paths = [[int(p[0])] * waits + p.tolist() for p in first.paths]
    return make_plan(problem, "by-hand", "feasible", paths)


class Calls:
    """Callbacks that note what they were asked and answer when the gate is open."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.planned: list[float] = []
        self.driven: list[float] = []
        self.gate = threading.Event()
        self.gate.set()

    def plan(self, beta: float) -> Plan | None:
        self.planned.append(beta)
        assert self.gate.wait(10)
        return plan_of(self.scene, beta)

    def drive(self, beta: float) -> Trajectory | None:
        self.driven.append(beta)
        assert self.gate.wait(10)
        return driven(self.scene.world, plan_of(self.scene, beta))


@pytest.fixture
def calls() -> Calls:
    return Calls(whole_scene())


def opened(calls: Calls, tmp_path: Path, drives: bool = True) -> tuple[App, RiskChoice]:
    choice = RiskChoice(calls.scene, calls.plan, calls.drive if drives else None, 2.0)
    return App(calls.scene, (900, 700), tmp_path, choice), choice


def settle(app: App, until: Callable[[], bool]) -> None:
    """Let time pass until something has happened."""
    deadline = time.monotonic() + 10
    while not until():
        assert time.monotonic() < deadline
        app.tick(0.01)
        time.sleep(0.002)


def place(app: App, beta: float) -> tuple[int, int]:
    """The pixel of the slider where a value lies."""
    assert app.slider is not None
    track = app.slider.track(app.renderer.panel, app.renderer.slider_top)
    return round(track.left + app.slider.choice.scale.share(beta) * track.width), track.centery


def grab(app: App, at: tuple[int, int]) -> None:
    app.handle(Event(pygame.MOUSEMOTION, pos=at, rel=(0, 0), buttons=(0, 0, 0)))
    app.handle(Event(pygame.MOUSEBUTTONDOWN, button=1, pos=at))


def drag(app: App, at: tuple[int, int]) -> None:
    app.handle(Event(pygame.MOUSEMOTION, pos=at, rel=(1, 0), buttons=(1, 0, 0)))


def release(app: App, at: tuple[int, int]) -> None:
    app.handle(Event(pygame.MOUSEBUTTONUP, button=1, pos=at))


def press(app: App, key: int, letter: str = "") -> None:
    app.handle(Event(pygame.KEYDOWN, key=key, unicode=letter))


def test_a_drag_plans_live_and_a_release_drives(calls: Calls, tmp_path: Path) -> None:
    app, choice = opened(calls, tmp_path)
    app.playback.time, app.playback.playing = 0.0, True
    before = to_array(app.picture())
    grab(app, place(app, 2.0))
    assert (choice.value, calls.planned, choice.held) == (2.0, [], True)
    drag(app, place(app, 5.0))
    settle(app, lambda: choice.shown == 5.0)
    assert choice.state == "planned"
    assert app.scene.trajectory is None
    assert app.scene.plan is not None
    assert app.scene.plan.problem["beta"] == 5.0
    assert (app.playback.time, app.playback.playing) == (0.0, False)  # agents wait at their starts
    planned = to_array(app.picture())
    assert not np.array_equal(before, planned)
    drag(app, (place(app, 5.0)[0] + 4000, 0))  # beyond the end, off the line
    settle(app, lambda: choice.shown == 10.0)
    settle(app, lambda: not choice.worker.busy)
    assert calls.driven == []
    release(app, place(app, 10.0))
    settle(app, lambda: not choice.unsettled)
    assert calls.planned == [5.0, 10.0]
    assert calls.driven == [10.0]
    assert choice.state == "driven"
    assert app.scene.trajectory is not None
    assert app.playback.playing  # from the start, as it was playing before
    assert not np.array_equal(planned, to_array(app.picture()))


def test_routes_on_the_picture_change(calls: Calls, tmp_path: Path) -> None:
    app, choice = opened(calls, tmp_path)
    graph = calls.scene.graph
    assert graph is not None
    detour = two_agent_plan(graph)
    far = make_plan(
        Problem(graph, np.array(detour.problem["starts"]), np.array(detour.problem["goals"])),
        "by-hand",
        "feasible",
        [_round_about(graph, detour.paths[0]), detour.paths[1]],
    )
    choice = RiskChoice(calls.scene, lambda beta: far, None, 2.0)
    app = App(calls.scene, (900, 700), tmp_path, choice)
    app.playback.time, app.playback.playing = 0.0, False
    map_box = (slice(app.renderer.box[1], app.renderer.box[3]), slice(app.renderer.box[0], app.renderer.box[2]))
    before = to_array(app.picture())[map_box]
    press(app, pygame.K_RIGHTBRACKET, "]")
    settle(app, lambda: not choice.unsettled)
    app.playback.time = 0.0
    assert not np.array_equal(before, to_array(app.picture())[map_box])


def _round_about(graph: StateGraph, path: np.ndarray) -> list[int]:
    """The path with its second node replaced by the one below, where edges allow."""
    below = int(np.linalg.norm(graph.states - (graph.states[path[1]] + np.float32([1, 0])), axis=1).argmin())
    return [int(path[0]), below, *path[2:].tolist()]


def test_the_latest_value_wins_and_stale_answers_are_dropped(calls: Calls, tmp_path: Path) -> None:
    app, choice = opened(calls, tmp_path)
    calls.gate.clear()
    grab(app, place(app, 5.0))
    settle(app, lambda: calls.planned == [5.0])
    for beta in (4.0, 3.0, 1.0, 0.5):
        drag(app, place(app, beta))
        app.tick(0.01)
    assert calls.planned == [5.0]  # one at a time, and the values between are never planned
    drag(app, place(app, 2.0))  # known: shown at once
    assert choice.shown == 2.0
    assert app.scene is calls.scene
    calls.gate.set()
    assert choice.worker.wait(10)
    app.tick(0.01)
    assert calls.planned == [5.0, 0.5]
    assert choice.shown == 2.0
    assert app.scene is calls.scene  # both came too late
    drag(app, place(app, 5.0))
    assert choice.shown == 5.0  # but were kept
    assert calls.planned == [5.0, 0.5]


def test_a_motion_for_a_value_that_was_left_is_not_shown(calls: Calls, tmp_path: Path) -> None:
    app, choice = opened(calls, tmp_path)
    grab(app, place(app, 5.0))
    settle(app, lambda: choice.shown == 5.0)
    calls.gate.clear()
    release(app, place(app, 5.0))
    settle(app, lambda: calls.driven == [5.0])
    assert choice.state == "driving"
    grab(app, place(app, 1.0))
    calls.gate.set()
    settle(app, lambda: choice.shown == 1.0)
    settle(app, lambda: not choice.worker.busy)
    assert (choice.state, app.scene.trajectory) == ("planned", None)
    release(app, place(app, 1.0))
    settle(app, lambda: not choice.unsettled)
    assert calls.driven == [5.0, 1.0]
    assert choice.state == "driven"
    grab(app, place(app, 5.0))
    assert choice.state == "driven"  # the motion that came late


def test_keys_stop_at_round_values_and_drive_after_a_rest(calls: Calls, tmp_path: Path) -> None:
    app, choice = opened(calls, tmp_path)
    app.playback.time, app.playback.playing = 3.0, False
    press(app, pygame.K_LEFTBRACKET, "[")
    press(app, pygame.K_LEFTBRACKET, "[")
    assert choice.value == 1.0
    app.tick(REST / 4)
    press(app, pygame.K_RIGHTBRACKET, "]")
    settle(app, lambda: not choice.unsettled)
    assert calls.driven == [1.5]
    assert (app.playback.time, app.playback.playing) == (3.0, False)  # where it was paused
    for _ in range(30):
        press(app, pygame.K_LEFTBRACKET, "[")
    assert choice.value == 0.0
    for _ in range(30):
        press(app, pygame.K_RIGHTBRACKET, "]")
    assert choice.value == 10.0


def test_focus_gives_the_slider_the_arrows(calls: Calls, tmp_path: Path) -> None:
    app, choice = opened(calls, tmp_path)
    assert app.slider is not None
    app.playback.playing = False
    plain = to_array(app.picture())
    press(app, pygame.K_RIGHT)
    assert (app.playback.time, choice.value) == (1.0, 2.0)
    app.playback.time = 0.0
    press(app, pygame.K_TAB)
    assert app.slider.focused
    assert not np.array_equal(plain, to_array(app.picture()))
    press(app, pygame.K_RIGHT)
    assert choice.value == 3.0
    press(app, pygame.K_HOME)
    assert choice.value == 0.0
    press(app, pygame.K_TAB)
    press(app, pygame.K_RIGHT)
    assert choice.value == 0.0
    at = place(app, 0.0)
    app.handle(Event(pygame.MOUSEMOTION, pos=at, rel=(0, 0), buttons=(0, 0, 0)))
    scale = app.renderer.view.scale
    app.handle(Event(pygame.MOUSEWHEEL, x=0, y=1))
    assert (choice.value, app.renderer.view.scale) == (0.1, scale)
    app.handle(Event(pygame.WINDOWLEAVE))
    assert not app.slider.hot


def test_without_a_drive_agents_move_along_the_plan(calls: Calls, tmp_path: Path) -> None:
    app, choice = opened(calls, tmp_path, drives=False)
    grab(app, place(app, 5.0))
    release(app, place(app, 5.0))
    settle(app, lambda: not choice.unsettled)
    assert app.scene.trajectory is None
    assert app.playback.playing
    settle(app, lambda: app.playback.time > 1.0)
    app.picture()


def test_no_plan_is_said_and_the_routes_stay(calls: Calls, tmp_path: Path) -> None:
    def fail(beta: float) -> Plan | None:
        if beta > 5:
            raise PlanningFailed(Plan("timeout", "cbs", 2), "out of luck")
        return None if beta > 2 else Plan("timeout", "cbs", 2, reason="time limit reached")

    choice = RiskChoice(calls.scene, fail, calls.drive, 2.0)
    app = App(calls.scene, (900, 700), tmp_path, choice)
    for beta, said in ((1.0, "no plan with beta = 1: time limit reached"), (3.0, "beta = 3"), (10.0, "out of luck")):
        grab(app, place(app, beta))
        release(app, place(app, beta))
        settle(app, lambda: choice.state == "failed")
        assert said in choice.failure
        assert choice.shown == 2.0
        assert app.scene is calls.scene
    assert not choice.unsettled
    assert calls.driven == []
    app.picture()


def test_a_callback_that_breaks_is_not_hidden(calls: Calls, tmp_path: Path) -> None:
    def broken(beta: float) -> Plan | None:
        raise ZeroDivisionError("of the callback")

    choice = RiskChoice(calls.scene, broken)
    app = App(calls.scene, (900, 700), tmp_path, choice)
    press(app, pygame.K_RIGHTBRACKET, "]")
    with pytest.raises(ZeroDivisionError, match="of the callback"):
        settle(app, lambda: False)


def test_no_callback_no_slider(tmp_path: Path) -> None:
    app = App(whole_scene(), (900, 700), tmp_path)
    assert app.slider is None
    plain = to_array(app.picture())
    press(app, pygame.K_RIGHTBRACKET, "]")
    press(app, pygame.K_TAB)
    assert np.array_equal(plain, to_array(app.picture()))


def test_the_slider_survives_a_resize_and_is_on_screenshots(calls: Calls, tmp_path: Path) -> None:
    app, choice = opened(calls, tmp_path)
    app.handle(Event(pygame.VIDEORESIZE, w=1400, h=1000, size=(1400, 1000)))
    grab(app, place(app, 1.0))
    release(app, place(app, 1.0))
    settle(app, lambda: not choice.unsettled)
    assert choice.value == 1.0
    press(app, pygame.K_s, "s")
    assert len(list(tmp_path.iterdir())) == 1
    app.handle(Event(pygame.VIDEORESIZE, w=10, h=10, size=(10, 10)))
    app.picture()


def test_the_scale_is_even_to_the_hand() -> None:
    scale = Scale.around(2.0)
    shares = [scale.share(v) for v in (0.0, 0.5, 1.0, 2.0, 5.0, 10.0)]
    assert shares[0] == 0.0
    assert shares[-1] == 1.0
    assert min(np.diff(shares)) > 0.1
    for value in (0.0, 0.05, 0.5, 1.0, 2.0, 3.3, 5.0, 10.0):
        assert scale.value(scale.share(value)) == pytest.approx(value)
    assert Scale.around(1.97).value(scale.share(2.03), catch=0.02) == 1.97
    assert scale.value(-3.0) == 0.0
    assert scale.value(7.0) == 10.0
    assert Scale.around(40.0).top == 40.0
    assert (scale.beside(2.4, 1), scale.beside(2.4, -1)) == (3.0, 2.0)
    for bad in (-1.0, float("nan"), float("inf")):
        with pytest.raises(InvalidInput, match="risk aversion"):
            Scale.around(bad)


def test_only_the_newest_question_waits() -> None:
    worker, gate, seen = WorkerThread(), threading.Event(), []
    worker.ask(0, lambda: gate.wait(10))
    while not worker.busy:
        time.sleep(0.001)
    time.sleep(0.02)
    for number in range(1, 6):
        worker.ask(number, lambda number=number: seen.append(number))
    gate.set()
    assert worker.wait(10)
    assert seen == [5]
    assert [answer.question for answer in worker.answers()] == [0, 5]
    assert worker.answers() == []
    worker.close()


def test_planned_risk_adds_up() -> None:
    scene = whole_scene()
    assert scene.plan is not None
    assert sum(scene.planned_risk) == pytest.approx(scene.plan.total_risk)
    assert Scene(scene.world, plan=scene.plan).planned_risk == ()
    assert scene.graph is not None
    none = StateGraph(scene.graph.states, np.zeros(scene.graph.num_nodes + 1, np.int32), [], [], [], scene.graph.wait_risk)
    assert replace(scene, graph=none, pruned=None).planned_risk == ()


def test_the_window_takes_the_callbacks(calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    posted = False

    def flip(true_flip=pygame.display.flip) -> None:  # type: ignore[no-untyped-def]
        nonlocal posted
        true_flip()
        if calls.planned == [2.0] and not posted:
            posted = True
            pygame.event.post(Event(pygame.KEYDOWN, key=pygame.K_RIGHTBRACKET, unicode="]"))
        if calls.driven:
            pygame.event.post(Event(pygame.KEYDOWN, key=pygame.K_q, unicode="q"))

    monkeypatch.setattr(pygame.display, "flip", flip)
    viewer.show(calls.scene, (900, 700), on_risk_aversion=calls.plan, on_drive=calls.drive, risk_aversion=2.0)
    assert calls.planned == [2.0, 3.0]  # the first to be warm
    assert calls.driven == [3.0]
    with pytest.raises(InvalidInput, match="risk aversion"):
        viewer.show(calls.scene, on_risk_aversion=calls.plan, risk_aversion=-1.0)
