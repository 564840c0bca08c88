"""The configuration that a run directory was started with; readable without PyTorch."""

from __future__ import annotations

import json
from pathlib import Path

from navplan.errors import CheckpointError, InvalidInput
from navplan.learned.config import TrainConfig


def read_run_config(out: str | Path) -> TrainConfig:
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
    return TrainConfig.from_dict(config, path)
