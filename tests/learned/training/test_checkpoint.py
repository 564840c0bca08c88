from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navplan.control.interface import LowLevel
from navplan.errors import CheckpointError, FileAccessError, InvalidInput, NavplanError
from navplan.graph.critics import EdgeCritics
from navplan.learned.recipes.navplan.config import TrainConfig
from navplan.learned.recipes.navplan.learner import build_networks
from navplan.learned.trained import Critics
from navplan.learned.training.load import bundled_checkpoints, checkpoint_folder, load_checkpoint
from navplan.learned.training.state import network_arrays
from navplan.learned.training.tensors import read_tensors, write_tensors
from tests.support.damaged_files import damaged, survives

CONFIG = TrainConfig("center-dot", hidden=4, ensemble=2, distance_bins=3, cost_atoms=4, wavelengths=(), relative_scales=())
SIZE = (15.0, 15.0)


def tiny_file(path: Path, **changes: object) -> Path:
    """A policy file of a tiny random network; `changes` replace tensors (arrays) or header entries (the rest)."""
    arrays = network_arrays(build_networks(CONFIG, SIZE, seed=1)) | {"states": np.ones((3, 2), np.float32)}
    document: dict[str, object] = {"config": CONFIG.to_dict(), "size": list(SIZE), "stage": 2}
    for name, value in changes.items():
        if isinstance(value, np.ndarray):
            arrays[name] = value
        else:
            document[name] = value
    write_tensors(path, "policy", arrays, document)
    return path


@pytest.fixture
def tiny(tmp_path: Path) -> Critics:
    return load_checkpoint(tiny_file(tmp_path / "policy.safetensors"))


def test_critics_are_what_the_other_rooms_ask_for(tiny: Critics) -> None:
    assert isinstance(tiny, EdgeCritics)
    assert isinstance(tiny.policy, LowLevel)
    assert isinstance(tiny.behaviour_cloning, LowLevel)
    assert all(isinstance(policy, LowLevel) for policy in tiny.policies.values())
    assert tiny.policies.keys() == {"policy", "behaviour-cloning"}
    assert (tiny.scenario, tiny.seed, tiny.size, tiny.states.shape) == ("center-dot", 0, SIZE, (3, 2))


def test_evaluate_is_the_maximum_of_the_members_and_blocks_change_nothing(tiny: Critics) -> None:
    rng = np.random.default_rng(0)
    states, goals = rng.uniform(0, 15, (5000, 2)), rng.uniform(0, 15, (5000, 2))
    distance, risk = tiny.evaluate(states, goals)
    near, cost = tiny.members(states, goals)
    assert near.shape == cost.shape == (2, 5000)
    np.testing.assert_array_equal(distance, near.max(0))
    np.testing.assert_array_equal(risk, cost.max(0))
    assert distance.dtype == risk.dtype == np.float32
    assert ((distance >= 1) & (distance <= 3)).all()
    assert (risk >= 0).all()
    np.testing.assert_allclose(tiny.evaluate(states[4000:], goals[4000:])[0], distance[4000:], rtol=1e-5)
    np.testing.assert_allclose(tiny.distance(states, goals), near.mean(0), rtol=1e-6)


def test_policies_are_exported_by_name(tiny: Critics) -> None:
    assert list(tiny.policies) == ["policy", "behaviour-cloning"]
    assert tiny.policy is tiny.policies["policy"]
    assert tiny.behaviour_cloning is tiny.policies["behaviour-cloning"]


def test_fewer_members_can_be_asked(tiny: Critics) -> None:
    rng = np.random.default_rng(0)
    states, goals = rng.uniform(0, 15, (600, 2)), rng.uniform(0, 15, (600, 2))
    near, cost = tiny.members(states, goals)
    one = tiny.members_only(1)
    for found, wanted in zip(one.members(states, goals), (near[:1], cost[:1]), strict=True):
        np.testing.assert_array_equal(found, wanted)
    np.testing.assert_array_equal(one.evaluate(states, goals)[0], near[0])
    np.testing.assert_array_equal(one.distance(states, goals), near[0])
    np.testing.assert_array_equal(one.risk(states, goals), cost[0])
    assert (one.states is tiny.states, one.policies is tiny.policies, one.config is tiny.config) == (True, True, True)
    np.testing.assert_array_equal(tiny.members(states, goals)[0], near)  # itself it still asks all
    for count in (0, 3):
        with pytest.raises(InvalidInput, match=f"there are 2 critics of each kind, {count} are asked for"):
            tiny.members_only(count)


def test_no_pairs_no_answers(tiny: Critics) -> None:
    nothing = np.zeros((0, 2), np.float32)
    assert [len(part) for part in tiny.evaluate(nothing, nothing)] == [0, 0]
    assert tiny.policy.act(nothing, nothing).shape == (0, 2)


def test_policies_refuse_what_is_no_position(tiny: Critics) -> None:
    good = np.ones((2, 2), np.float32)
    bad = np.array([[1, 1], [np.nan, 2]], np.float32)
    for call in (tiny.policy.act, tiny.evaluate, tiny.distance, tiny.risk):
        with pytest.raises(InvalidInput, match="goal 1 is"):
            call(good, bad)
        with pytest.raises(InvalidInput, match="expected"):
            call(good, good[:1])
    with pytest.raises(InvalidInput, match="takes none"):
        tiny.policy.act(good, good, good)
    actions = tiny.policy.act(good, good)
    assert actions.shape == (2, 2)
    assert actions.dtype == np.float32


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"actor.layers.0.bias": np.zeros(5, np.float32)}, "tensor 'actor.layers.0.bias' is float32 (5,), expected float32 (4,)"),
        ({"critics.b2": np.full((4, 1, 4), np.nan, np.float32)}, "tensor 'critics.b2' holds values that are not finite"),
        ({"critics.b2": np.zeros((4, 1, 4))}, "tensor 'critics.b2' is float64 (4, 1, 4), expected float32 (4, 1, 4)"),
        ({"states": np.zeros((3, 3), np.float32)}, "tensor 'states' is missing or misshaped, expected float32 (K, 2)"),
        ({"size": [0, 3]}, "map size is [0, 3], expected two positive numbers"),
        (
            {"size": [2**31, 3]},  # before a table of that size is made
            "tensor 'actor.places.table' is float32 (1, 8, 16, 16), expected float32 (1, 8, 2147483649, 4)",
        ),
        ({"stage": 3}, "stage is 3, expected 1 or 2"),
        ({"format": 99}, "is a 'policy' of format 99, expected a 'policy' of format 1"),
        (
            {"config": {"scenario": "x", "hidden": 4096}},
            "tensor 'critics.w1' is float32 (4, 30, 4), expected float32 (6, 34, 4096)",
        ),
        ({"config": {"scenario": "x", "hidden": -4}}, "hidden is -4, expected a positive number"),
        ({"config": 3}, "has no configuration in its header"),
    ],
)
def test_wrong_contents_are_named(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    path = tiny_file(tmp_path / "policy.safetensors", **changes)
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(tmp_path)
    assert str(caught.value) == f"{path}: {message}"


def test_files_that_do_not_speak_of_place_tables_have_none(tmp_path: Path) -> None:
    config = CONFIG.replace(place_channels=0)
    arrays = network_arrays(build_networks(config, SIZE, seed=1)) | {"states": np.ones((3, 2), np.float32)}
    values = {key: value for key, value in config.to_dict().items() if key not in ("place_channels", "imitation")}
    write_tensors(tmp_path / "policy.safetensors", "policy", arrays, {"config": values, "size": list(SIZE), "stage": 2})
    critics = load_checkpoint(tmp_path)
    assert critics.config.place_channels == 0  # type: ignore[union-attr]
    assert critics.networks["actor"].places is None


def test_missing_tensors_are_named(tmp_path: Path) -> None:
    path = tiny_file(tmp_path / "policy.safetensors")
    arrays, document = read_tensors(path, "policy")
    del arrays["clone.layers.1.weight"]
    write_tensors(path, "policy", arrays, document)
    with pytest.raises(CheckpointError, match=r"'clone\.layers\.1\.weight' is missing, expected shape \(4, 4\)"):
        load_checkpoint(path)


def test_foreign_and_truncated_files(tmp_path: Path) -> None:
    path = tiny_file(tmp_path / "policy.safetensors")
    whole = path.read_bytes()
    for data in (b"", b"\x00" * 40, whole[:100], whole[:-1], b"PK\x03\x04 not ours"):
        path.write_bytes(data)
        with pytest.raises(CheckpointError, match=r"policy\.safetensors: is truncated or no safetensors file"):
            load_checkpoint(path)
    from safetensors.numpy import save_file

    save_file({"a": np.zeros(3)}, path)
    with pytest.raises(CheckpointError, match="has no navplan header"):
        load_checkpoint(path)


@settings(max_examples=150)
@given(data=st.data())
def test_damaged_files_never_crash(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    whole = tiny_file(folder / "whole.safetensors").read_bytes()
    survives(load_checkpoint, folder / "policy.safetensors", data.draw(damaged(whole)))


def test_paths_and_names(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="stage is 7, expected 1 or 2"):
        load_checkpoint("center-dot", stage=7)
    with pytest.raises(NavplanError, match="unknown checkpoint 'center-dto': did you mean 'center-dot'"):
        load_checkpoint("center-dto")
    with pytest.raises(FileAccessError, match="no such run"):
        load_checkpoint(tmp_path / "nowhere")
    with pytest.raises(FileAccessError, match=r"policy\.safetensors: cannot be read"):
        load_checkpoint(tmp_path)
    (tmp_path / "checkpoint.safetensors").touch()
    with pytest.raises(FileAccessError, match=r"not finished.*--resume"):
        load_checkpoint(tmp_path)


def test_bundled_checkpoints_are_small_and_complete() -> None:
    names = bundled_checkpoints()
    assert {"center-dot", "four-rooms-modified"} <= set(names)
    for name in names:
        assert sum(file.stat().st_size for file in checkpoint_folder(name).iterdir()) <= 2_500_000
        critics = load_checkpoint(name)
        scenario, _, rest = name.partition("-seed")
        assert critics.scenario == scenario.removesuffix("-paper").removesuffix("-without-self-training")
        assert critics.seed == int(rest or 0)
        assert 1000 <= len(critics.states) <= 10_000
        assert load_checkpoint(name, stage=1).stage == 1


def test_without_torch_the_error_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['torch'] = None\n"
        "from navplan.cli import main\n"
        "from navplan.learned.training.load import load_checkpoint\n"
        "from navplan.errors import MissingExtra\n"
        "try: load_checkpoint('center-dot')\n"
        "except MissingExtra as error: print(error)\n"
        "sys.exit(main(['train', '--scenario', 'center-dot', '--out', '/nonexistent/run']))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2
    assert done.stdout == "a learned checkpoint needs PyTorch: pip install 'navplan[learned]'\n"
    assert done.stderr == "error: training needs PyTorch: pip install 'navplan[learned]'\n"


def test_a_run_can_be_moved(tmp_path: Path) -> None:
    tiny_file(tmp_path / "a" / "policy.safetensors")
    shutil.move(tmp_path / "a", tmp_path / "b")
    assert load_checkpoint(tmp_path / "b").scenario == "center-dot"
    assert json.loads(json.dumps(load_checkpoint(str(tmp_path / "b")).config.to_dict()))["hidden"] == 4
