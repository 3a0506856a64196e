"""A generated set of pictures, and small networks that tell them apart: nothing is downloaded.

Circles are mostly red, squares mostly blue, triangles mostly green. The networks have fixed random
filters, and a last layer that is fitted here.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from PIL import Image, ImageDraw
from sklearn.linear_model import LogisticRegression

from model.contract.preprocessing import Preprocessing
from model.serving.predictors import open_session

CLASSES = ("square", "circle", "triangle")
"""In the order of the networks' answers, which is not that of the alphabet."""

SIDE = 48
_COLOURS = {"circle": (210, 50, 40), "square": (40, 70, 200), "triangle": (40, 170, 60)}


def draw_shape(
    name: str, rng: np.random.Generator, size: tuple[int, int] = (96, 64)
) -> Image.Image:
    """Return a shape on a pale ground, in nine of ten pictures of its usual colour."""
    ground = tuple(int(level) for level in rng.integers(190, 250, 3))
    image = Image.new("RGB", size, ground)
    chosen = name if rng.random() < 0.9 else str(rng.choice(CLASSES))
    colour = tuple(
        int(np.clip(level + shift, 0, 255))
        for level, shift in zip(_COLOURS[chosen], rng.integers(-25, 25, 3), strict=True)
    )
    radius = rng.uniform(0.22, 0.36) * min(size)
    x, y = (rng.uniform(radius, side - radius) for side in size)
    pen = ImageDraw.Draw(image)
    box = (x - radius, y - radius, x + radius, y + radius)
    if name == "circle":
        pen.ellipse(box, fill=colour)
    elif name == "square":
        pen.rectangle(box, fill=colour)
    else:
        pen.polygon([(x, y - radius), (x - radius, y + radius), (x + radius, y + radius)], colour)
    noisy = np.asarray(image) + rng.normal(0, 5, (size[1], size[0], 3))
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def write_shapes(folder: Path, count: int, seed: int, kind: str = "png") -> Path:
    """Write ``count`` pictures of each class into a folder of the class's name."""
    rng = np.random.default_rng(seed)
    for name in CLASSES:
        (folder / name).mkdir(parents=True)
        for number in range(count):
            draw_shape(name, rng).save(folder / name / f"{number:03}.{kind}")
    return folder


def make_network(
    folder: Path,
    preprocessing: Preprocessing,
    classes: Sequence[str] = CLASSES,
    ends_in: str = "softmax",
    pooled: bool = True,
    batch: int | str = "N",
) -> onnx.ModelProto:
    """Make a network that was fitted to the pictures in a folder, prepared in one way.

    Args:
        folder: as of ``write_shapes``.
        preprocessing: what the network takes.
        classes: in the order of its answers; of two classes one answer is enough for "sigmoid".
        ends_in: "softmax", "logits" or "sigmoid".
        pooled: whether its last layer takes the mean of a grid.
        batch: the number of pictures that it takes.
    """
    inputs, codes = [], []
    for code, name in enumerate(classes):
        for path in sorted((folder / name).iterdir()):
            with Image.open(path) as image:
                seen = preprocessing.fit(image.convert("RGB"))
            inputs.append(preprocessing.to_input(seen))
            codes.append(code)
    features = _make_features(preprocessing, pooled, batch, inputs)
    session = open_session(_build(*features, "features", preprocessing, batch, None))
    values = np.concatenate([session.run(None, {"input_1": each})[0] for each in inputs])
    spread = values.std(axis=0) + 1e-6
    fitted = LogisticRegression(C=1.0, max_iter=2000).fit(values / spread, codes)
    weights = (fitted.coef_ / spread).T.astype(np.float32)
    bias = fitted.intercept_.astype(np.float32)
    if len(classes) == 2 and ends_in != "sigmoid":
        weights = np.concatenate([-weights / 2, weights / 2], axis=1)
        bias = np.concatenate([-bias / 2, bias / 2])
    nodes, constants = features
    constants += [numpy_helper.from_array(weights, "w"), numpy_helper.from_array(bias, "b")]
    nodes += [
        helper.make_node("MatMul", ["features", "w"], ["dense"]),
        helper.make_node("Add", ["dense", "b"], ["scores"]),
    ]
    if ends_in != "logits":
        operator = "Softmax" if ends_in == "softmax" else "Sigmoid"
        nodes.append(helper.make_node(operator, ["scores"], ["probabilities"]))
    output = "scores" if ends_in == "logits" else "probabilities"
    content = _build(nodes, constants, output, preprocessing, batch, weights.shape[1])
    return onnx.load_from_string(content)


def _make_features(
    preprocessing: Preprocessing, pooled: bool, batch: int | str, inputs: Sequence[NDArray[Any]]
) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """Two layers of random filters, of zero mean, so that an even ground counts for nothing."""
    rng = np.random.default_rng(0)
    channels = 1 if preprocessing.colour == "grey" else 3
    level = float(np.mean(inputs))
    spread = float(np.std(np.concatenate(inputs))) or 1.0
    first = rng.normal(0, 1 / np.sqrt(channels * 25), (24, channels, 5, 5))
    first[:12] -= first[:12].mean(axis=(1, 2, 3), keepdims=True)
    second = rng.normal(0, 1 / np.sqrt(24 * 9), (64, 24, 3, 3))
    shift = np.array([level], np.float32)
    constants = [
        numpy_helper.from_array(shift, "level"),
        numpy_helper.from_array((first / spread).astype(np.float32), "first"),
        numpy_helper.from_array(second.astype(np.float32), "second"),
    ]
    nodes = [helper.make_node("Cast", ["input_1"], ["float"], to=TensorProto.FLOAT)]
    last = "float"
    if preprocessing.layout == "NHWC":
        nodes.append(helper.make_node("Transpose", [last], ["first_order"], perm=[0, 3, 1, 2]))
        last = "first_order"
    elif preprocessing.layout == "NHW":
        constants.append(numpy_helper.from_array(np.array([1], np.int64), "axis"))
        nodes.append(helper.make_node("Unsqueeze", [last, "axis"], ["first_order"]))
        last = "first_order"
    nodes += [
        helper.make_node("Sub", [last, "level"], ["centred"]),
        helper.make_node(
            "Conv", ["centred", "first"], ["conv1"], pads=[2, 2, 2, 2], strides=[2, 2]
        ),
        helper.make_node("Relu", ["conv1"], ["relu1"]),
        helper.make_node("Conv", ["relu1", "second"], ["conv2"], pads=[1, 1, 1, 1], strides=[2, 2]),
        helper.make_node("Relu", ["conv2"], ["grid"]),
    ]
    if pooled:
        nodes.append(helper.make_node("GlobalAveragePool", ["grid"], ["pooled"]))
    else:
        nodes.append(
            helper.make_node(
                "AveragePool", ["grid"], ["pooled"], kernel_shape=[4, 4], strides=[4, 4]
            )
        )
    nodes.append(helper.make_node("Flatten", ["pooled"], ["features"]))
    return nodes, constants


def _build(
    nodes: Sequence[onnx.NodeProto],
    constants: Sequence[onnx.TensorProto],
    output: str,
    preprocessing: Preprocessing,
    batch: int | str,
    width: int | None,
) -> bytes:
    channels = 1 if preprocessing.colour == "grey" else 3
    side = (preprocessing.height, preprocessing.width)
    shape: tuple[int | str, ...] = (batch, channels, *side)
    if preprocessing.layout == "NHWC":
        shape = (batch, *side, channels)
    elif preprocessing.layout == "NHW":
        shape = (batch, *side)
    kind = TensorProto.UINT8 if preprocessing.type == "uint8" else TensorProto.FLOAT
    graph = helper.make_graph(
        list(nodes),
        "shapes",
        [helper.make_tensor_value_info("input_1", kind, shape)],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, [batch, width or "D"])],
        list(constants),
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content
