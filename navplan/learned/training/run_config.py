"""The configuration that a run directory was started with; readable without PyTorch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from navplan.errors import CheckpointError, InvalidInput
from navplan.learned.recipes.navplan.config import TrainConfig
from navplan.learned.recipes.paper.config import PaperConfig

_BEFORE = {"place_channels": 0, "imitation": 0.0}
"""What runs did not have whose files do not speak of it."""


def read_run_config(out: str | Path) -> TrainConfig | PaperConfig:
    """The configuration that a run directory was started with.

    Raises:
        InvalidInput: there is no run in it.
        FileFormatError: its config.json is damaged.
    """
    path = Path(out) / "config.json"
    if not path.is_file():
        raise InvalidInput(f"{out}: holds no run to resume (no config.json)")
    try:
        values = json.loads(path.read_bytes())
        config = values["config"]
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(path, "is no configuration of a run, expected JSON with a 'config' object") from error
    if not isinstance(config, dict):
        raise CheckpointError(path, "is no configuration of a run, expected JSON with a 'config' object")
    return config_from(config, path)


def config_from(values: dict[str, Any], source: str | Path) -> TrainConfig | PaperConfig:
    """The configuration of either recipe from plain values.

    Raises:
        FileFormatError: it does not fit.
    """
    if values.get("recipe") == "paper":
        return PaperConfig.from_dict(values, source)
    return TrainConfig.from_dict({**_BEFORE, **values}, source)
