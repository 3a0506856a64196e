"""Writes a model of Keras as ONNX: a script for a Python with TensorFlow, Keras and tf2onnx.

It gets a line of JSON on standard input and writes one to standard output: ``answers``,
what was answered to which input, by which the ONNX file is compared; or ``error``.
"""

import inspect
import json
import os
import runpy
import sys
from importlib.util import find_spec
from typing import Any

os.environ |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"  # whoever compares computes on a processor, too
ASKED = json.load(sys.stdin)
if ASKED["release"].startswith(("1.", "2.")) and find_spec("tf_keras"):
    os.environ["TF_USE_LEGACY_KERAS"] = "1"  # TensorFlow reads it while it is imported

import tensorflow as tf  # noqa: E402

tf.get_logger().setLevel("ERROR")
import numpy as np  # noqa: E402
import onnx  # noqa: E402
import tf2onnx  # noqa: E402

_ANY = 160
"""The side of the pictures that a network is asked which takes any, in pixels."""

_OPSET = 17


def main() -> None:
    """Convert the network that standard input names."""
    try:
        told = convert(ASKED)
    except Exception as error:  # whatever TensorFlow, Keras or the network raises
        told = {"error": f"{type(error).__name__}: {str(error).strip()[:400]}"}
    sys.stdout.write("\n" + json.dumps(told))


def convert(asked: dict[str, Any]) -> dict[str, Any]:
    """Convert a file to ONNX, for the size that it takes, or for any.

    Raises:
        ValueError: if it does not take one picture and answer one row of numbers.
    """
    model = load(asked)
    shape = find_shape(model, asked["shape"])

    def answer(pictures: Any) -> Any:
        return model(pictures, training=False)

    sizes = [[side or _ANY + more for side in shape] for more in (0, 64)]
    answers = []
    for size in sizes[: 1 if sizes[0] == sizes[1] else 2]:
        for count, top in ((1, 1.0), (1, 255.0), (2, 255.0)):
            answers.append(ask(answer, top, (count, *size)))
    export(answer, tf.TensorSpec([None, *shape], tf.float32, name="pictures"), asked["target"])
    return {"answers": answers}


def export(answer: Any, given: Any, target: str) -> None:
    """Export what answers pictures."""
    # Else convolutions in groups are calls of compiled functions, which ONNX does not have.
    tf.config.run_functions_eagerly(True)
    function = tf.function(answer, autograph=False)
    captures = function.get_concrete_function(given).graph.captures
    model, _ = tf2onnx.convert.from_function(
        function,
        input_signature=[given],
        opset=_OPSET,
        custom_op_handlers={"Erfc": (write_erfc, [])},
    )
    # Arrays that are no variables, such as the mean of a Normalization, come as further inputs.
    arrays = {inside.name: outside for outside, inside in captures}
    for item in [item for item in model.graph.input if item.name in arrays]:
        array = onnx.numpy_helper.from_array(arrays[item.name].numpy(), item.name)
        model.graph.initializer.append(array)
        model.graph.input.remove(item)
    onnx.save(model, target)


def write_erfc(graph: Any, node: Any, *_: Any) -> None:
    """Write the step of a gelu that tf2onnx does not know: erfc(x) is 1 + erf(-x)."""
    one = graph.make_const(tf2onnx.utils.make_name("one"), np.array(1, np.float32))
    node.type, node.domain = "Erf", ""
    graph.insert_new_node_on_input(node, "Neg", node.input[0])
    output = node.output[0]
    graph.insert_new_node_on_output("Add", output, inputs=[output, one.output[0]])


def load(asked: dict[str, Any]) -> Any:
    """Load the model with the release of Keras that wrote it; only a trusted one runs code."""
    read, custom = tf.keras.models.load_model, {}
    if asked["module"]:
        sys.path.insert(0, os.path.dirname(asked["module"]))
        custom = runpy.run_path(asked["module"])
    objects = {name: item for name, item in custom.items() if callable(item)}
    knows = "safe_mode" in inspect.signature(read).parameters
    more = {"safe_mode": not asked["trust"]} if knows else {}
    return read(asked["path"], custom_objects=objects, compile=False, **more)


def find_shape(model: Any, shape: list[int | None] | None) -> list[int | None]:
    """Find the height, width and channels of its input; None where it takes any.

    A class of the author's own does not say them: then ``shape`` holds.

    Raises:
        ValueError: if it takes anything else than pictures of one input.
    """
    inputs = getattr(model, "inputs", None) or []
    if len(inputs) > 1 or (inputs and len(inputs[0].shape) != 4):
        shapes = ", ".join(str(tuple(item.shape)) for item in inputs)
        raise ValueError(f"it takes {shapes}, and not one picture of three dimensions")
    if inputs:
        return list(inputs[0].shape)[1:]
    if shape is None:
        raise ValueError("its file does not say which size it takes: give --size")
    return shape


def ask(answer: Any, top: float, shape: tuple[int, ...]) -> dict[str, Any]:
    """Ask the network for numbers from 0 to ``top`` that whoever compares can make, too.

    Raises:
        ValueError: if it does not answer one row of numbers a picture.
    """
    count = int(tf.reduce_prod(shape))
    given = tf.reshape(tf.cast(tf.range(count) % 251, tf.float32) / 251 * top, shape)
    found = answer(given)
    if not tf.is_tensor(found) or len(found.shape) != 2 or found.shape[0] != shape[0]:
        raise ValueError("the network must answer one row of numbers a picture")
    return {"shape": shape, "top": top, "numbers": found.numpy().ravel().tolist()}


if __name__ == "__main__":
    main()
