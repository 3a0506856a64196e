"""Lets a Python that has a network's library convert it to ONNX, and compares the answers of both.

The library runs in a process of its own, by a script that is given as text.
"""

import json
import math
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from model.making.errors import AddError
from model.serving.predictors import open_session

_TIMEOUT = 600
"""Seconds in which a network must be converted."""

_LARGEST = 1e-4
"""Difference of two answers, as a share of the largest, above which the conversion is wrong."""


def convert_elsewhere(
    path: Path,
    python: str,
    script: Path,
    library: str,
    asked: Mapping[str, Any],
    advise: Callable[[str], str],
) -> onnx.ModelProto:
    """Let another Python convert a network, and compare the answers of both.

    Args:
        path: of the network's file.
        python: the Python that has the library.
        script: takes ``asked`` as JSON on standard input and writes what it made to standard
            output, see ``torch_converter``; its network takes ``pictures``.
        library: its name.
        asked: what the script needs to know; ``target``, where the ONNX file belongs, is added.
        advise: gives a sentence that says what to do for an error of the script, or "".

    Raises:
        AddError: if it cannot be converted, or answers otherwise as ONNX.
    """
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "network.onnx")
        told = _run_script(python, script, folder, {**asked, "target": str(target)})
        if "error" in told:
            said = f"{python} cannot convert {path}: {told['error']}"
            advice = advise(said)
            if "No module named" in said:
                advice = "Install it there, or name another Python."
            raise AddError(f"{said.rstrip('.')}. {advice}".rstrip())
        model = onnx.load(target)
    try:
        session = open_session(model.SerializeToString())
    except Exception as error:  # ONNX Runtime raises several types
        raise AddError(
            f"{library} converts {path} to what ONNX Runtime cannot run: {str(error)[:300]}"
        ) from error
    for answer in told["answers"]:
        shape, top = answer["shape"], np.float32(answer["top"])
        levels = np.arange(math.prod(shape)) % 251 / np.float32(251)
        given = (levels.astype(np.float32) * top).reshape(shape)
        (found,) = session.run(None, {"pictures": given})
        expected = np.array(answer["numbers"])
        if not np.abs(found.ravel() - expected).max() <= _LARGEST * max(np.abs(expected).max(), 1):
            raise AddError(
                f"{path} answers otherwise as ONNX than in {library}, so it is not added. Export "
                "it yourself, and give the .onnx file."
            )
    return model


def _run_script(
    python: str, script: Path, folder: str, asked: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Run the script in an empty folder, and return what it told.

    It is given as text: beside a script, modules of its folder would hide those of the library.
    """
    try:
        done = subprocess.run(  # noqa: S603 (the person named this Python)
            [python, "-W", "ignore", "-c", script.read_text()],
            cwd=folder,
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return {"error": str(error)}
    try:
        told: dict[str, Any] = json.loads(done.stdout.rpartition("\n")[2])
    except ValueError:
        lines = done.stderr.strip().splitlines()
        return {"error": lines[-1] if lines else "it ended without a word"}
    return told
