"""A run: a learner and the experience that it is fed with, round by round, and their way into and out of files."""

from __future__ import annotations

import csv
import io
import time
from collections import ChainMap
from importlib.metadata import version
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import torch

from navplan.errors import CheckpointError
from navplan.graph.nodes import coverage_nodes
from navplan.learned.interface import Arrays, Experience, Learner, Saved
from navplan.learned.training import tensors as files
from navplan.learned.training.fields import TrainingSettings
from navplan.learned.training.run_config import config_from, recipe_named
from navplan.learned.training.state import fill_learner, learner_arrays, learner_shapes
from navplan.system.arrays import Float32
from navplan.system.files import write_text

CURVES = "curves.csv"
# Coverage thinning looks at this many states at most: its work grows with states times nodes.
_THINNING_POOL = 60_000

LearnerT = TypeVar("LearnerT", bound=Learner[Any])


class Run(Generic[LearnerT]):
    """Everything that changes while training, and its way into and out of a file; the same for all recipes."""

    def __init__(self, settings: TrainingSettings, learner: LearnerT, experience: Experience[LearnerT]) -> None:
        self.settings = settings
        self.learner = learner
        self.experience = experience
        self.rows: list[list[float]] = []
        self.seconds = 0.0
        self._latest: dict[str, torch.Tensor] = {}

    def warm_up(self) -> None:
        """What comes before the first update."""
        self.experience.warm_up(self.learner)

    def round(self) -> None:
        """Update the learner with the batches of one round."""
        begin = time.perf_counter()
        for batch in self.experience.batches(self.learner):
            self._latest |= self.learner.update(batch)
        self.seconds += time.perf_counter() - begin

    def log(self) -> dict[str, float]:
        """Append a row to the curves; returns it by name. A loss of which there was none yet is 0."""
        learner = self.learner
        own = {"updates": float(learner.updates), "seconds": self.seconds}
        losses = {name: float(self._latest[name]) if name in self._latest else 0.0 for name in learner.columns}
        figures = ChainMap(own, learner.figures(), self.experience.figures(), losses)
        self.rows.append([float(figures[name]) for name in learner.columns])
        return dict(zip(learner.columns, self.rows[-1], strict=True))

    def write_curves(self, out: Path) -> None:
        """Write ``curves.csv``: a line per row, whole numbers in full and others to five digits."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.learner.columns)
        writer.writerows([_short(value) for value in row] for row in self.rows)
        write_text(out / CURVES, text.getvalue())

    # -- files --------------------------------------------------------------------------------------------------------------

    def save(self, out: Path) -> None:
        """Write ``checkpoint.safetensors``: all that learner and experience remember, generators, counters, curves."""
        arrays = learner_arrays(self.learner)
        document = {**self.document(), "seconds": self.seconds}
        for part in (self.learner, self.experience):
            state = part.state()
            arrays |= state.arrays
            document |= state.numbers
        arrays["torch_rng"] = torch.get_rng_state().numpy()
        arrays["curves"] = np.array(self.rows, np.float64).reshape(-1, len(self.learner.columns))
        files.write_tensors(out / files.CHECKPOINT, "checkpoint", arrays, document)
        files.write_summary(out / "checkpoint.json", document)

    def restore(self, path: Path) -> None:
        """Become the run that `path` holds.

        Raises:
            FileAccessError, CheckpointError: it cannot be read, is damaged or is that of another configuration.
        """
        arrays, document = files.read_tensors(path, "checkpoint")
        if document.get("config") != self.settings.to_dict() and not self._extends(path, document):
            raise CheckpointError(path, "belongs to another configuration than config.json beside it")
        learner, experience = self.learner, self.experience
        files.expect(path, arrays, learner_shapes(learner) | learner.shapes(arrays) | experience.shapes(arrays))
        try:
            fill_learner(learner, arrays)
            learner.updates = int(document["updates"])
            for part in (learner, experience):
                part.restore(Saved(arrays, document))
            if "torch_rng" in arrays:  # recipe paper, which draws nothing from it, did not always save it
                torch.set_rng_state(torch.from_numpy(arrays["torch_rng"]))
            self.rows = arrays["curves"].tolist()
            self.seconds = float(document["seconds"])
        except (KeyError, TypeError, ValueError, RuntimeError, IndexError, OverflowError) as error:
            raise CheckpointError(path, f"is incomplete or misshaped: {error}") from error

    def _extends(self, path: Path, document: dict[str, Any]) -> bool:
        """True where the file is of a run of fewer updates that this one makes longer."""
        config = document.get("config")
        before = config_from(config, path) if isinstance(config, dict) else None
        longer = self.settings.steps
        return before is not None and before.steps < longer and before.extended(longer) == self.settings

    def export(self, out: Path) -> None:
        """Write ``policy.safetensors``, and ``stage1.safetensors`` where there is one: halved weights, and states for graphs.

        What is in double precision is not halved.
        """
        settings = self.settings
        states = thinned(self.experience.states(), settings.export_states, settings.seed)
        document = {**self.document(), **self.learner.facts()}
        for stage, arrays in self.learner.stages().items():
            contents: Arrays = {key: v.astype(np.float16) if v.dtype == np.float32 else v for key, v in arrays.items()}
            contents["states"] = states
            files.write_tensors(out / files.EXPORTS[stage], "policy", contents, {**document, "stage": stage})

    def document(self) -> dict[str, Any]:
        """Identity and progress of the run."""
        return {
            "config": self.settings.to_dict(),
            "updates": self.learner.updates,
            "versions": versions(),
            **self.experience.facts(),
        }


def new_run(settings: TrainingSettings, data: object = None) -> Run[Any]:
    """An untrained run of the recipe that the configuration names, of `data` that is at hand where there is any."""
    recipe: Any = recipe_named(settings.recipe)
    return Run(settings, *(recipe.start(settings) if data is None else recipe.start(settings, data)))


def thinned(pool: Float32, count: int, seed: int) -> Float32:
    """At most `count` of the (K, 2) states, thinned for coverage."""
    rng = np.random.default_rng(seed)
    if len(pool) > _THINNING_POOL:
        pool = pool[np.sort(rng.choice(len(pool), _THINNING_POOL, replace=False))]
    return coverage_nodes(pool, min(count, len(np.unique(pool, axis=0))), rng)


def versions() -> dict[str, str]:
    """Of everything that decides the numbers."""
    return {name: version(name) for name in ("navplan", "numpy", "numba", "torch", "safetensors")}


def _short(value: float) -> str:
    text = f"{value:.5g}"
    return str(int(value)) if "e" in text and value.is_integer() else text
