"""Lines that work, below the help of each command; a file that one of them reads another has written, or is the reader's own."""

from __future__ import annotations

EXAMPLES: dict[str, tuple[str, ...]] = {
    "": (
        "navplan demo",
        "navplan solve --map center-dot --agents 8 --planner ecbs --out plan.json",
        "navplan help solve",
    ),
    "demo": (
        "navplan demo",
        "navplan demo --agents 20 --seed 3 --headless --out demo-out",
        "navplan demo --scenario four-rooms-modified --risk-aversion 2",
        "navplan demo --bodies car:3,unicycle:5 --headless --out bodies-out",
    ),
    "doctor": (
        "navplan doctor",
        "navplan doctor --compile",
    ),
    "solve": (
        "navplan solve --map center-dot --agents 8 --planner ecbs --out plan.json",
        "navplan solve --map maze.map --scen maze.scen --time-limit 10 --json",
        "navplan solve --map demo-out/graph.npz --agents 5 --risk-budget 3.5",
    ),
    "lifelong": (
        "navplan lifelong --map warehouse --agents 40 --steps 500",
        "navplan lifelong --map warehouse --agents 20 --planner ecbs --steps 100",
    ),
    "validate": (
        "navplan validate plan.json",
        "navplan validate plan.json --forbid-following --json",
    ),
    "run": (
        "navplan run center-dot --checkpoint center-dot --agents 8 --out run",
        "navplan run center-dot --checkpoint runs/mine --method sorb --json",
        "navplan run center-dot --checkpoint center-dot --set policy=straight-line",
        "navplan run center-dot --checkpoint center-dot --bodies quad:2,car",
    ),
    "train": (
        "navplan train --scenario center-dot --out runs/mine",
        "navplan train --scenario center-dot --recipe paper --seed 1 --out runs/paper",
        "navplan train --data car.npz --goal 0,1 --position 0,1 --out runs/car",
        "navplan train --out runs/mine --resume",
    ),
    "judge": (
        "navplan judge center-dot",
        "navplan judge runs/mine center-dot --json",
        "navplan judge runs/car --data held.npz",
    ),
    "evaluate": (
        "navplan evaluate --suite paper-2d --workers 2 --out results",
        "navplan evaluate --suite paper-2d --methods navplan,sorb --agents 1,5 \\\n"
        "      --problems 10 --train-seeds 0:3 --out quick",
        "navplan evaluate --suite long-horizon --checkpoint runs/mine --out mine",
    ),
    "view": (
        "navplan view center-dot",
        "navplan view plan.json --export plan.gif",
        "navplan view demo-out --export last.png",
    ),
    "scenario": (
        "navplan scenario list",
        "navplan scenario show center-dot",
        "navplan scenario make maze --height 41 --width 41 --out maze.map",
        "navplan scenario convert maze.map maze.scen --agents 10",
    ),
    "scenario list": ("navplan scenario list", "navplan scenario list --json"),
    "scenario show": ("navplan scenario show center-dot", "navplan scenario show maze.map --json"),
    "scenario make": (
        "navplan scenario make maze --height 41 --width 41 --out maze.map",
        "navplan scenario make warehouse --seed 3 --out warehouse.toml",
    ),
    "scenario convert": (
        "navplan scenario convert center-dot center-dot.map",
        "navplan scenario convert center-dot.map dot.scen --agents 10 --seed 1",
        "navplan scenario convert polygons polygons.yaml --cells --image png",
    ),
    "scenario problems": (
        "navplan scenario problems paper-2d --split tuning --out tuning.csv",
        "navplan scenario problems long-horizon --no-oracle --out half.csv",
    ),
    "data": (
        "navplan data make carmaze-large-stitch --transitions 300000 --out car.npz",
        "navplan data inspect car.npz --position 0,1",
        "navplan scenario convert 'car*.npz' merged.npz",
    ),
    "data make": (
        "navplan data make pointmaze-medium-navigate --transitions 10000 --out point.npz",
        "navplan data make carmaze-large-mixed --transitions 5000 --out mixed.npz",
    ),
    "data inspect": ("navplan data inspect point.npz", "navplan data inspect 'mix*.npz' --position 0,1 --json"),
    "planners": ("navplan planners", "navplan planners --json"),
    "modules": ("navplan modules", "navplan modules --json"),
    "bench": (
        "navplan bench list",
        "navplan bench run env --quick",
        "navplan bench run mapf --maps maps --planners cbs,ecbs:suboptimality=1.2 \\\n      --agents 10,20,50 --out mapf",
    ),
    "bench list": ("navplan bench list", "navplan bench list --json"),
    "bench run": (
        "navplan bench run env --quick",
        "navplan bench run mapf --maps maps --planners cbs,ecbs:suboptimality=1.2 \\\n      --agents 10,20,50 --out mapf",
    ),
    "bench report": (
        "navplan bench report mapf",
        "navplan bench report mapf --readme README.md",
    ),
    "help": ("navplan help", "navplan help scenario make"),
}
"""What follows ``navplan`` -> its examples."""
