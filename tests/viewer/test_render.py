from __future__ import annotations

import numpy as np
import pytest
from shapely.geometry import Polygon

from navplan.errors import InvalidInput
from navplan.graph.state_graph import StateGraph
from navplan.scenarios.worlds.world import Hazard, World
from navplan.viewer import palette
from navplan.viewer.layers import Layers, wall_runs
from navplan.viewer.render import Renderer, default_size, render_frame, to_array
from navplan.viewer.scene import Scene
from navplan.viewer.view import View
from tests.support.scenes import lattice, walled_world, whole_scene

SIZE = (900, 640)


def colour_at(scene: Scene, row: float, col: float, **options: object) -> tuple[int, ...]:
    renderer = Renderer(scene, SIZE, **options)  # type: ignore[arg-type]
    frame = to_array(renderer.frame(float(scene.num_steps)))
    x, y = renderer.view.place(row, col)
    return tuple(frame[int(y), int(x)].tolist())


@pytest.fixture(autouse=True)
def _no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)


def test_a_frame_without_a_display_is_a_real_picture() -> None:
    frame = render_frame(whole_scene(), size=SIZE, oversample=2)
    assert frame.shape == (640, 900, 3)
    assert frame.dtype == np.uint8
    assert frame.mean() > 180  # a light page
    assert len(np.unique(frame.reshape(-1, 3), axis=0)) > 500


def test_rows_run_down_and_columns_to_the_right() -> None:
    walls = np.zeros((6, 6), bool)
    walls[1, 4] = True
    scene = Scene(World.from_walls("one", walls))
    assert colour_at(scene, 1.5, 4.5) == palette.WALL
    assert colour_at(scene, 4.6, 1.6) == palette.FLOOR


def test_hazard_colours_follow_the_cost() -> None:
    scene = Scene(walled_world())
    off_grid = 0.37  # away from the cell grid's lines
    near = colour_at(scene, 3.95, 6.5 + off_grid)
    middle = colour_at(scene, 3.0 + 0.05, 6.5 + off_grid)
    far = colour_at(scene, 1.5, 6.5 + off_grid)
    assert sum(near) < sum(middle) < sum(far)
    assert far == palette.FLOOR
    assert colour_at(scene, 3.95, 6.5 + off_grid, switches=Layers(hazard=False)) == palette.FLOOR


def test_agents_are_discs_of_their_colours_at_their_places() -> None:
    scene = whole_scene()
    for agent in range(2):
        row, col = scene.history[-1][agent]
        assert colour_at(scene, row, col - 0.18) == palette.agent_colour(agent)
    row, col = scene.history[-1][0]
    assert colour_at(scene, row, col - 0.18, switches=Layers(agents=False)) != palette.agent_colour(0)


def test_each_layer_changes_the_picture() -> None:
    scene = whole_scene()
    full = to_array(Renderer(scene, SIZE).frame(3.0))
    for name in Layers.names():
        assert not np.array_equal(full, to_array(Renderer(scene, SIZE, switches=Layers().toggled(name)).frame(3.0))), name


def test_contacts_are_flagged_in_red() -> None:
    clean, touched = (to_array(Renderer(whole_scene(at), SIZE).frame(2.5)) for at in (None, 2))
    red = [(np.abs(frame.astype(int) - palette.ALERT).sum(axis=-1) < 12).sum() for frame in (clean, touched)]
    assert red[0] == 0
    assert red[1] > 50


def test_polygon_with_a_hole() -> None:
    ring = Polygon([(1, 1), (1, 5), (5, 5), (5, 1)], [[(2, 2), (2, 4), (4, 4), (4, 2)]])
    scene = Scene(World("ring", None, 6.0, 6.0, (ring,)))
    assert colour_at(scene, 1.5, 3.0) == palette.WALL
    assert colour_at(scene, 3.0, 3.0) == palette.FLOOR


def test_large_maps_are_shaded_by_the_share_of_wall() -> None:
    walls = np.random.default_rng(0).random((700, 900)) < 0.3
    walls[:, :300] = True
    scene = Scene(World.from_walls("large", walls))
    assert colour_at(scene, 350.0, 100.0) == palette.WALL
    assert colour_at(scene, 350.0, 600.0) != palette.WALL


def test_large_graphs_are_drawn_soon() -> None:
    rng = np.random.default_rng(0)
    n, k = 10_000, 40
    states = rng.uniform(0, 55, (n, 2)).astype(np.float32)
    heads = np.sort((np.arange(n)[:, None] + 1 + np.argsort(rng.random((n, k * 2)), axis=1)[:, :k] * 37) % n, axis=1)
    graph = StateGraph(states, np.arange(0, n * k + 1, k), heads.ravel(), np.ones(n * k), rng.random(n * k), np.zeros(n))
    frame = render_frame(Scene(World("box", None, 55.0, 55.0), graph), size=SIZE, oversample=2)
    assert frame.mean() > 150


def test_grid_graphs_are_drawn_where_there_is_room() -> None:
    walls = np.zeros((8, 8), bool)
    walls[3, 3] = True
    graph = StateGraph.from_grid(walls)
    with_graph = render_frame(Scene(World.from_walls("grid", walls), graph), size=SIZE, oversample=2)
    without = render_frame(Scene(World.from_walls("grid", walls)), size=SIZE, oversample=2)
    assert not np.array_equal(with_graph, without)


def test_same_scene_same_pixels() -> None:
    assert np.array_equal(render_frame(whole_scene(), 2.5, SIZE), render_frame(whole_scene(), 2.5, SIZE))


def test_sizes_follow_the_world_and_bad_ones_are_refused() -> None:
    wide = Scene(World.from_walls("wide", np.zeros((20, 100), bool)))
    square = Scene(World.from_walls("square", np.zeros((20, 20), bool)))
    assert default_size(wide)[1] < default_size(square)[1] < 1200
    with pytest.raises(InvalidInput, match="at least 480 x 360"):
        render_frame(square, size=(100, 100))
    with pytest.raises(InvalidInput, match="step is 7, expected 0 to 5"):
        render_frame(whole_scene(), step=7)


def test_views_map_points_there_and_back() -> None:
    view = View.fit(9, 12, 10, 20, 600, 400)
    x, y = view.place(4.5, 6.0)
    assert (x, y) == (310, 220)
    assert view.point(x, y) == (4.5, 6.0)
    zoomed = view.zoomed(2.0, 310, 220, 1.0, 1000.0)
    assert zoomed.scale == 2 * view.scale
    assert zoomed.point(310, 220) == pytest.approx((4.5, 6.0))
    assert view.moved(30, 0).point(340, 220) == pytest.approx((4.5, 6.0))


def test_wall_runs() -> None:
    walls = np.array([[1, 1, 0, 1], [0, 0, 0, 0]], bool)
    assert wall_runs(walls) == [(0, 0, 2), (0, 3, 4)]


def test_agent_colours_differ_up_to_24_and_scales_keep_their_order() -> None:
    assert len({palette.agent_colour(agent) for agent in range(72)}) == 72
    for ramp in (palette.hazard_ramp, palette.risk_ramp):
        light = ramp(np.linspace(0, 1, 50)).astype(float) @ [0.2126, 0.7152, 0.0722]
        assert (np.diff(light) < 0.5).all()
        assert light[0] - light[-1] > 60


def test_unusual_names_are_written() -> None:
    world = World.from_walls("größe × 3 \x00 名前 " + "long " * 30, np.zeros((5, 5), bool), Hazard())
    assert render_frame(Scene(world, facts={"a": "b" * 300}), size=SIZE, oversample=2).mean() > 180


def test_many_agents_fit() -> None:
    rng = np.random.default_rng(0)
    starts = rng.uniform(0, 60, (150, 2)).astype(np.float32)
    scene = Scene(World.from_walls("open", np.zeros((60, 60), bool)), starts=starts, goals=starts[::-1])
    assert render_frame(scene, size=SIZE, oversample=2).mean() > 120


def test_lattice_edges_take_the_risk_colours() -> None:
    world = walled_world("none")
    frame = render_frame(Scene(world, lattice(world)), size=SIZE, oversample=2).reshape(-1, 3).astype(int)
    low, high = (palette.risk_ramp(np.asarray([share]))[0].astype(int) for share in (0.05, 0.95))
    assert (np.abs(frame - low).sum(axis=1) < 90).any()
    assert (np.abs(frame - high).sum(axis=1) < 90).any()
