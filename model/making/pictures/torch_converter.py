"""Writes a network of PyTorch as ONNX: a script for a Python in which PyTorch is installed.

It gets a line of JSON on standard input and writes one to standard output: ``answers``,
what was answered to which input, by which the ONNX file is compared; or ``error``.
"""

import json
import runpy
import sys
from contextlib import suppress
from typing import Any

import torch


def main() -> None:
    """Convert the network that standard input names."""
    asked = json.load(sys.stdin)
    try:
        told = convert(asked)
    except Exception as error:  # whatever PyTorch or the network raises
        told = {"error": f"{type(error).__name__}: {str(error).strip()[:400]}"}
    sys.stdout.write("\n" + json.dumps(told))


def convert(asked: dict[str, Any]) -> dict[str, Any]:
    """Convert a file to ONNX, for the one size that it takes, or for any.

    Raises:
        ValueError: if it takes none of the sizes, or several of them but not all.
    """
    module, taken, errors = load(asked), [], []
    for channels in asked["channels"]:
        for height, width in asked["sizes"]:
            try:
                taken.append(ask(module, 1, channels, height, width))
            except Exception as error:
                said = str(error).strip().splitlines() or [type(error).__name__]
                errors.append(f"{channels} x {height} x {width}: {said[-1][-200:]}")
        if taken:
            break
    if not taken:
        raise ValueError(errors[0])
    if errors and len(taken) > 1:
        sizes = " and ".join(f"{shape[3]}x{shape[2]}" for shape, _ in taken)
        raise ValueError(f"it takes pictures of {sizes}, which is not the same: give --size")
    return export(module, asked["target"], taken[:1])


def load(asked: dict[str, Any]) -> Any:
    """Load the network; only a pickled module runs its author's code."""
    path = asked["path"]
    if asked["content"] == "TorchScript":
        return torch.jit.load(path, map_location="cpu").eval()
    if asked["content"] == "an exported program":
        return torch.export.load(path).module()
    sys.path[:0] = asked["beside"]
    if asked["module"]:  # a notebook's classes belong to the main module
        sys.modules["__main__"].__dict__.update(runpy.run_path(asked["module"]))
    return find_network(torch.load(path, map_location="cpu", weights_only=False)).eval()


def find_network(found: Any) -> Any:
    """Find the network in what was saved: itself, in a dictionary, or the one of a fastai Learner.

    Raises:
        ValueError: if there is none.
    """
    inside = found.values() if isinstance(found, dict) else [getattr(found, "model", None)]
    for value in [found, *inside]:
        if isinstance(value, torch.nn.Module):
            return value
    raise ValueError(f"it holds a {type(found).__name__} and no network")


def make_input(count: int, channels: int, height: int, width: int) -> Any:
    """Make numbers from 0 to 1 that whoever compares can make, too."""
    size = count * channels * height * width
    return (torch.arange(size) % 251 / 251.0).reshape(count, channels, height, width)


def ask(module: Any, *shape: int) -> list[Any]:
    """Ask the network for pictures of a shape; the shape and its answers, one a class.

    Raises:
        ValueError: if it answers anything else.
    """
    with torch.no_grad():
        answer = module(make_input(*shape))
    if not isinstance(answer, torch.Tensor) or answer.dim() != 2 or len(answer) != shape[0]:
        raise ValueError("the network must answer one row of numbers a picture")
    return [shape, answer.reshape(-1).tolist()]


def export(module: Any, target: str, answers: list[Any]) -> dict[str, Any]:
    """Export the network that gave an answer, for any number and size that it takes."""
    ((one, channels, height, width),) = (shape for shape, _ in answers)
    axes: dict[int, str] = {}
    for shape, names in (
        ((2, channels, height, width), {0: "pictures"}),
        ((one, channels, height + 32, width + 64), {2: "height", 3: "width"}),
    ):
        with suppress(Exception):  # else it takes no other number, or no other size
            answers.append(ask(module, *shape))
            axes.update(names)
    first = make_input(one, channels, height, width)
    is_script = isinstance(module, torch.jit.ScriptModule)
    torch.onnx.export(
        module if is_script else torch.jit.trace(module, first),
        (first,),
        target,
        input_names=["pictures"],
        output_names=["answers"],
        dynamic_axes={"pictures": axes, "answers": {0: "pictures"} if 0 in axes else {}},
        dynamo=False,
    )
    return {"answers": [{"shape": shape, "top": 1, "numbers": rows} for shape, rows in answers]}


if __name__ == "__main__":
    main()
