"""Frames: the layers stacked, smoothed and framed, with the panel beside them. Needs no display."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from navplan.errors import InvalidInput
from navplan.plan.plan import Plan
from navplan.system.arrays import Int64
from navplan.viewer import edges, labels, layers, palette
from navplan.viewer.layers import Layers
from navplan.viewer.panel import HEADING, draw_panel, unit_of
from navplan.viewer.panel_box import PanelBox
from navplan.viewer.prepared import PreparedScene
from navplan.viewer.risk_slider import RiskSlider
from navplan.viewer.scene import Scene
from navplan.viewer.toolkit import pygame
from navplan.viewer.view import View

NODE_SPACING = 23.0
"""Least distance of drawn nodes in pixels; zooming in shows more of them."""
GRID_GRAPH_SCALE = 8.0
"""Pixels per cell from which the graph of a grid map is worth drawing."""


def default_size(scene: Scene, width: int = 1200) -> tuple[int, int]:
    """Picture size (width, height) that suits the world's proportions."""
    unit = width / 1200
    room = width - _panel_width(width) - 110 * unit
    height = room * scene.world.height / scene.world.width + 76 * unit
    # the panel of a bare map is short, that of a run is not
    least = 0.66 if scene.trajectory is not None or scene.graph is not None else 0.4
    return width, int(min(max(height, least * width), 0.86 * width))


def _panel_width(width: int) -> int:
    return round(min(max(0.245 * width, 236), 330))


class Renderer:
    """Draws frames of one scene at one size; what does not move is drawn once and kept.

    Args:
        size: (width, height) of the picture in pixels, at least 480 x 360.
        oversample: how much finer the map is drawn before it is smoothed down; powers of two keep colours exact.
        switches: layers that are on.
        view: part of the world to show; None fits the whole world.
        bottom: pixels kept free at the bottom for the window's controls.
        ready: what was computed for this scene before.
        slider: of risk aversion, drawn in the panel.
    """

    def __init__(
        self,
        scene: Scene,
        size: tuple[int, int],
        oversample: int = 2,
        switches: Layers | None = None,
        view: View | None = None,
        bottom: int = 0,
        ready: PreparedScene | None = None,
        slider: RiskSlider | None = None,
    ) -> None:
        if size[0] < 480 or size[1] < 360:
            raise InvalidInput(f"picture size is {size[0]} x {size[1]}, expected at least 480 x 360")
        self.scene, self.size, self.factor = scene, size, oversample
        self.switches = switches or Layers()
        self.unit = min(max(size[0] / 1200, 0.8), 1.35)
        margin = round(30 * self.unit)
        panel = _panel_width(size[0])
        edge = margin // 3
        self.box = (edge, edge, size[0] - panel - 2 * margin - 2 * edge, size[1] - 2 * edge - bottom)
        self.ready = ready or PreparedScene.of(scene)
        height = size[1] - 2 * margin - edge // 2 - bottom
        unit = min(self.unit, (size[1] - bottom) / (700 if scene.trajectory is not None else 480))
        if slider is not None:  # the panel is fuller, and the scene may change under it
            unit = unit_of(slider.choice.first, self.ready.counts, self.ready.peak, height, self.unit)
        self.panel = PanelBox(size[0] - panel - margin, margin + edge // 2, panel, height, unit)
        self.home = View.fit(scene.world.height, scene.world.width, *self.box, inset=round(32 * self.unit))
        self.view = view or self.home
        self.drawn: Int64 = np.zeros(0, np.int64)
        self.nodes: Int64 = np.zeros(0, np.int64)
        self.slider = slider
        self._static: tuple[object, pygame.Surface] | None = None
        self._planned: tuple[object, pygame.Surface] | None = None

    def frame(self, time: float) -> pygame.Surface:
        """The picture at a step, which may lie between two recorded ones."""
        scene, factor, on = self.scene, self.factor, self.switches
        large = self._background(scene.plan_at(time) if on.plan else None).copy()
        if on.trails:
            layers.draw_trails(large, scene, time, self.view, factor)
        if on.agents:
            layers.draw_agents(large, scene, time, self.view, factor)
        picture = pygame.Surface(self.size, 0, 32)
        picture.fill(palette.PAGE)
        left, top, width, height = self.box
        picture.blit(pygame.transform.smoothscale(large, (width, height)), (left, top))
        labels.draw_axes(picture, scene.world, self.view, self.unit)
        if on.labels and on.agents:
            labels.draw_numbers(picture, scene, time, self.view, self.unit)
        draw_panel(picture, self.panel, scene, time, on, self.ready.counts, self.ready.peak, self.slider)
        return picture

    @property
    def slider_top(self) -> float:
        """Where the slider begins on the picture."""
        return self.panel.top + self.panel.px(HEADING)

    def _background(self, plan: Plan | None) -> pygame.Surface:
        """Everything that does not move: kept until the view, the layers or the plan change."""
        base = self._base()
        if plan is None:
            return base
        # the plan itself, not its id: a new one may come to lie where an old one was
        if self._planned is None or self._planned[0] != (base, plan):
            surface = base.copy()
            layers.draw_plan(surface, plan, self.view, self.factor)
            self._planned = ((base, plan), surface)
        return self._planned[1]

    def _base(self) -> pygame.Surface:
        """Floor, hazard, graph, goals."""
        on = self.switches
        key = (self.view, on.hazard, on.graph, on.pruned, on.agents)
        if self._static is not None and self._static[0] == key:
            return self._static[1]
        scene, view, factor = self.scene, self.view, self.factor
        surface = pygame.Surface((view.width * factor, view.height * factor), 0, 32)
        layers.draw_floor(surface, scene.world, self.ready.raster, view, factor, on.hazard)
        self._draw_graph(surface)
        layers.draw_walls(surface, scene.world, view, factor)
        if on.agents:
            layers.draw_goals(surface, scene, view, factor)
        self._static = (key, surface)
        return surface

    def _draw_graph(self, surface: pygame.Surface) -> None:
        """Pruned edges, edges, nodes; remembers what is shown for the window's hover."""
        graph, table, gone, on = self.scene.graph, self.ready.table, self.ready.gone, self.switches
        self.drawn = self.nodes = np.zeros(0, np.int64)
        if graph is None or table is None or (graph.is_grid and self.view.scale < GRID_GRAPH_SCALE):
            return
        states = graph.places
        nodes = edges.thin_nodes(states, 0.0 if graph.is_grid else NODE_SPACING / self.view.scale)
        mesh = edges.mesh_keys(states, nodes)
        if on.pruned and gone is not None:
            chosen = edges.drawn_pruned(gone, states, nodes, mesh)
            layers.draw_pruned(surface, gone, chosen, states, self.view, self.factor)
        if on.graph:
            self.drawn, self.nodes = edges.drawn_edges(table, states, nodes, mesh), nodes
            quiet = self.scene.num_agents > 0
            layers.draw_graph(surface, table, self.drawn, states, nodes, self.view, self.factor, self.ready.peak, quiet)


def to_array(surface: pygame.Surface) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 copy of a picture."""
    width, height = surface.get_size()
    return np.frombuffer(pygame.image.tobytes(surface, "RGB"), dtype=np.uint8).reshape(height, width, 3).copy()


def check_step(scene: Scene, step: float | None) -> None:
    """Refuse a step outside the scene.

    Raises:
        InvalidInput: it is.
    """
    if step is not None and not 0 <= step <= scene.num_steps:
        raise InvalidInput(f"step is {step:g}, expected 0 to {scene.num_steps}")


def render_frame(
    scene: Scene,
    step: float | None = None,
    size: tuple[int, int] | None = None,
    switches: Layers | None = None,
    oversample: int = 4,
) -> NDArray[np.uint8]:
    """One picture of a scene; draws in memory and needs no display.

    Args:
        step: time step to show, between two steps too; None means the last one.
        size: (width, height) in pixels; None chooses about 1200 pixels in the world's proportions.
        switches: layers that are on, all by default.

    Returns:
        (H, W, 3) uint8.

    Raises:
        InvalidInput: the step is not in the scene, or the picture is too small.
    """
    check_step(scene, step)
    at = float(scene.num_steps) if step is None else float(step)
    return to_array(Renderer(scene, size or default_size(scene), oversample, switches).frame(at))
