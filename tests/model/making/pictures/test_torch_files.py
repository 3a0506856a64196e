"""Networks of PyTorch, converted by a Python in which it is installed: `TORCH_PYTHON` names one."""

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from model.making.errors import AddError
from model.making.options import AddOptions
from model.making.pictures.opening import open_file
from tests.model.making.conftest import run
from tests.shape_pictures import write_shapes

WITHOUT = sys.executable
"""A Python without PyTorch."""

WITH = os.environ.get("TORCH_PYTHON", "")

needs_torch = pytest.mark.skipif(not WITH, reason="TORCH_PYTHON names no Python with PyTorch")

NETWORK = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.near = nn.Conv2d(3, 16, 3, stride=4)
        self.far = nn.Linear(16 * 12 * 12, 3)

    def forward(self, pictures):
        return self.far(torch.relu(self.near(pictures)).flatten(1))
"""

FIT = """
import sys
import numpy as np
from PIL import Image
from pathlib import Path

rows, labels = [], []
for label, name in enumerate(("square", "circle", "triangle")):
    for file in sorted(Path("train", name).iterdir()):
        rows.append(np.asarray(Image.open(file).convert("RGB").resize((48, 48))))
        labels.append(label)
pictures = torch.tensor(np.array(rows), dtype=torch.float32).permute(0, 3, 1, 2) / 255
torch.manual_seed(0)
net, labels = Net(), torch.tensor(labels)
steps = torch.optim.Adam(net.parameters(), 3e-3)
for _ in range(120):
    steps.zero_grad()
    nn.functional.cross_entropy(net(pictures), labels).backward()
    steps.step()
net.eval()
torch.jit.script(net).save("script.pt")
torch.export.save(torch.export.export(net, (pictures[:1],)), "exported.pt2")
torch.save(net, "whole.pth")
torch.save({"epoch": 120, "network": net}, "checkpoint.pkl")
"""


def write_file(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"net/{name.replace('_', '.')}", content)
    return path


def options_of(path: Path, python: str) -> AddOptions:
    return AddOptions((path,), "net", path.parent, python=python)


def refuse(text: str) -> bool:
    """Whoever asks for PyTorch is not asked anything."""
    raise AssertionError(text)


def test_only_a_pickled_module_runs_code_and_only_where_it_is_trusted(tmp_path: Path) -> None:
    path = write_file(tmp_path / "net.pt", data_pkl=b"\x80\x02c__main__\nNet\nq\x00)")
    with pytest.raises(AddError, match="add --trust, and --module"):
        open_file(options_of(path, WITHOUT), refuse, refuse)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (b"", "torch.load('net.tar'))"),
        (b"X\x0a\0\0\0state_dictq\x01", "torch.load('net.tar')['state_dict'])"),
        (
            b"X\x14\0\0\0optimizer_state_dictq\x01X\x10\0\0\0model_state_dictq\x02",
            "torch.load('net.tar')['model_state_dict'])",
        ),
        (b"X\x05\0\0\0modelq\x01", "torch.load('net.tar')['model'])"),
    ],
)
def test_weights_are_refused_with_the_line_that_loads_them(
    tmp_path: Path, keys: bytes, said: str
) -> None:
    """Those of a checkpoint are in a dictionary; a file is known by what it holds."""
    path = write_file(tmp_path / "net.tar", data_pkl=b"\x80\x02}q\x00(" + keys)
    with pytest.raises(AddError, match=re.escape(f"net.load_state_dict({said};")):
        open_file(options_of(path, WITHOUT), refuse, refuse)
    with pytest.raises(AddError, match=re.escape(said)):
        open_file(options_of(path, ""), refuse, refuse)


def test_a_network_in_a_dictionary_is_no_file_of_weights(tmp_path: Path) -> None:
    content = b"\x80\x02}q\x00X\x03\0\0\0netq\x01ctorch.nn.modules.container\nSequential\n"
    path = write_file(tmp_path / "net.pkl", data_pkl=content)
    with pytest.raises(AddError, match="is a pickled module, which needs PyTorch"):
        open_file(options_of(path, ""), refuse, refuse)


def test_a_python_that_cannot_convert_is_said_in_a_sentence(tmp_path: Path) -> None:
    path = write_file(tmp_path / "net.pt", constants_pkl=b"", data_pkl=b"")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("net/code/a.py", b"")
    with pytest.raises(AddError, match=r"cannot convert .*No module named 'torch'"):
        open_file(options_of(path, WITHOUT), refuse, refuse)
    with pytest.raises(AddError, match="cannot convert"):
        open_file(options_of(path, "/bin/true"), refuse, refuse)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pictures, and a network in three kinds of files, fitted by PyTorch."""
    folder = tmp_path_factory.mktemp("torch")
    write_shapes(folder / "train", 40, 1)
    (folder / "net.py").write_text(NETWORK)
    (folder / "fit.py").write_text(NETWORK + FIT)
    subprocess.run([WITH, "fit.py"], cwd=folder, check=True)
    return folder


@needs_torch
@pytest.mark.second_tier
@pytest.mark.parametrize(
    ("name", "more"),
    [("script.pt", ()), ("exported.pt2", ()), ("whole.pth", ("--trust", "--module", "net.py")),
     ("checkpoint.pkl", ("--trust", "--module", "net.py"))],
)  # fmt: skip
def test_each_kind_of_file_is_converted_and_added(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, more: tuple[str, ...]
) -> None:
    monkeypatch.chdir(trained)
    add = ("add", name, "--name", "net", "--data", "train", "--models", tmp_path)
    if name == "script.pt":  # the layers round 50 and 51 to the same
        asked = run(*add, "--python", WITH, *more)
        assert "it takes pictures of 50x50 and 48x48" in " ".join(asked.output.split())
    result = run(*add, "--python", WITH, "--size", "48x48", *more)
    assert result.exit_code == 0, result.output
    assert "of PyTorch, converted there" in result.output
    assert "48 × 48 pixels" in result.output
    assert run("check", "net", "--models", tmp_path).exit_code == 0
