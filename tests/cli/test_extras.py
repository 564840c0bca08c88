"""Without an extra: one line that says what to install, before any work is done."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from navplan.cli.command_line import main
from navplan.cli.extras import EXTRAS
from tests.support.checkpoints import with_few_states
from tests.support.modules import hide_modules

BLOCKED = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {names}:
            raise ModuleNotFoundError("No module named " + repr(name), name=name)

sys.meta_path.insert(0, Blocker())
"""


def without(monkeypatch: pytest.MonkeyPatch, *modules: str) -> None:
    """Importing `modules` fails; what is loaded already is hidden."""
    hide_modules(monkeypatch, *modules, "navplan.viewer", "navplan.scenarios.formats.ros_map")
    for module in modules:
        monkeypatch.setitem(sys.modules, module, None)


@pytest.mark.parametrize(
    ("module", "command"),
    [
        ("torch", ["train", "--scenario", "center-dot"]),
        ("safetensors", ["train", "--scenario", "center-dot"]),
        ("pygame", ["demo", "--headless"]),
        ("PIL", ["demo", "--headless"]),
    ],
)
def test_it_is_said_before_anything_is_written(
    module: str, command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    without(monkeypatch, module)
    assert main([*command, "--out", str(tmp_path / "out")]) == 2
    package, extra = EXTRAS[module]
    shown = capsys.readouterr()
    assert shown.err.endswith(f"needs {package}: pip install 'navplan[{extra}]'\n")
    assert shown.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_the_lines_that_users_meet_first() -> None:
    code = BLOCKED.format(names=set(EXTRAS)) + (
        "from navplan.cli.command_line import main\n"
        "import navplan as nv\n"
        "for name in nv.__all__:\n"
        "    getattr(nv, name)\n"
        "codes = [main(['train', '--scenario', 'center-dot', '--out', 'x']), main(['view', 'center-dot']), "
        "main(['run', 'center-dot', '--checkpoint', 'center-dot']), main(['bench', 'run', 'learn']), main(['modules'])]\n"
        "assert codes == [2, 2, 2, 2, 0], codes\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines() == [
        "error: training needs PyTorch: pip install 'navplan[learned]'",
        "error: the viewer needs pygame-ce: pip install 'navplan[viewer]'",
        "error: a learned checkpoint needs PyTorch: pip install 'navplan[learned]'",
        "error: navplan bench needs PyTorch: pip install 'navplan[learned]'",
    ]


def test_the_demo_prints_one_document_and_no_greeting_of_a_library(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYGAME_HIDE_SUPPORT_PROMPT"}
    quick = ["--checkpoint", with_few_states(tmp_path / "few"), "--agents", "2"]
    command = [sys.executable, "-m", "navplan", "demo", "--headless", *quick, "--json", "--out", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert json.loads(done.stdout)["status"] == "success"
