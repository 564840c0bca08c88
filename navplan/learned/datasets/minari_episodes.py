"""Minari's data sets, which are on this machine or fetched by its own command."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from navplan.errors import FileAccessError, InvalidInput, MissingExtra
from navplan.system.words import said


def minari_episodes(name: str) -> Iterator[dict[str, Any]]:
    """Each episode as `Dataset.from_episodes` takes it: T + 1 observations, T actions, and costs where infos have "cost".

    Raises:
        MissingExtra: Minari is not installed.
        FileAccessError: it has no data set of this name here.
        InvalidInput: its observations are dicts without "observation".
    """
    try:
        minari = importlib.import_module("minari")
    except ImportError as error:
        raise MissingExtra("a Minari data set", "Minari", "minari") from error
    if not isinstance(name, str) or not name:
        raise InvalidInput(f"the name of a Minari data set is {said(name)}, expected text such as 'D4RL/pointmaze/umaze-v2'")
    try:
        found = minari.load_dataset(name)
    except ImportError as error:  # of what its files are read with
        raise MissingExtra("a Minari data set", f"Minari with {error.name or 'its files'}", "minari") from error
    except (OSError, ValueError) as error:
        raise FileAccessError(f"Minari data set {name}: {error}; minari download {name} fetches what is published") from error
    for number, episode in enumerate(found.iterate_episodes()):
        seen = episode.observations
        if isinstance(seen, Mapping):
            if "observation" not in seen:
                keys = ", ".join(map(str, seen))
                raise InvalidInput(f"{name}, episode {number}: observations are a dict of {keys}, expected 'observation' in it")
            seen = seen["observation"]
        part = {"observations": seen, "actions": episode.actions}
        infos = getattr(episode, "infos", None)
        costs = infos.get("cost") if isinstance(infos, Mapping) else None
        if costs is not None:
            part["costs"] = np.asarray(costs)[-len(episode.actions) :]  # infos have one for the reset too
        yield part
