"""From an uploaded JPEG to its answer, on one core: `python -m tests.benchmarks.pictures`.

`python -m tests.benchmarks.pictures FOLDER` measures the model of another folder, and
`python -m tests.benchmarks.pictures --mobile` one that is added for it: a network with the layers
of MobileNet (Howard and others, 2017), which has four million parameters, for three shapes.
"""

import resource
import statistics
import sys
import tempfile
import time
from io import BytesIO
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from sklearn.linear_model import LogisticRegression

from app.server.memory import limit_heaps, prepare_fork
from model import PictureModel
from model.chest_xray.drawing import draw_chest
from model.contract.preprocessing import Preprocessing
from model.making import AddOptions, PictureOptions, add_from_files
from model.serving.predictors import open_session
from tests.loading import load_as
from tests.shape_pictures import CLASSES, draw_shape, write_shapes
from tests.tools import ROOT

SIZES = ((224, 224), (4000, 3000))


MOBILE = (
    *((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)),
    *((512, 1),) * 5,
    *((1024, 2), (1024, 1), (1024, 1)),
)
"""The channels of each block of MobileNet, and its stride; one more stands for its last layer."""


def add_mobile(root: Path) -> Path:
    """Add a network of random filters whose last layer was fitted to pictures of shapes."""
    write_shapes(root / "train", 12, 1)
    rng = np.random.default_rng(0)
    nodes: list[onnx.NodeProto] = []
    constants: list[onnx.TensorProto] = []

    def convolve(channels: int, made: int, side: int, stride: int, groups: int = 1) -> None:
        """Add a convolution with ReLU behind the nodes so far."""
        number = len(constants)
        fan = side * side * channels // groups
        filters = rng.normal(0, np.sqrt(2 / fan), (made, channels // groups, side, side))
        constants.append(numpy_helper.from_array(filters.astype(np.float32), f"w{number}"))
        given = nodes[-1].output[0] if nodes else "pictures"
        pads = [side // 2] * 4
        nodes.extend(
            (
                helper.make_node("Conv", [given, f"w{number}"], [f"c{number}"],
                                 pads=pads, strides=[stride] * 2, group=groups),
                helper.make_node("Relu", [f"c{number}"], [f"r{number}"]),
            )
        )  # fmt: skip

    convolve(3, 32, 3, 2)
    channels = 32
    for made, stride in MOBILE:
        convolve(channels, channels, 3, stride, channels)
        convolve(channels, made, 1, 1)
        channels = made
    nodes.append(helper.make_node("GlobalAveragePool", [nodes[-1].output[0]], ["pooled"]))
    nodes.append(helper.make_node("Flatten", ["pooled"], ["features"]))
    prepare = Preprocessing(width=224, height=224, layout="NCHW", colour="RGB", scale="unit")
    inputs, codes = [], []
    for code, name in enumerate(CLASSES):
        for path in sorted((root / "train" / name).iterdir()):
            with Image.open(path) as image:
                inputs.append(prepare.to_input(prepare.fit(image.convert("RGB"))))
            codes.append(code)
    session = open_session(_build(nodes, constants, "features", channels))
    values = np.concatenate([session.run(None, {"pictures": each})[0] for each in inputs])
    spread = values.std(axis=0) + 1e-6
    fitted = LogisticRegression(max_iter=500).fit(values / spread, codes)
    constants.append(numpy_helper.from_array((fitted.coef_ / spread).T.astype(np.float32), "w"))
    constants.append(numpy_helper.from_array(fitted.intercept_.astype(np.float32), "b"))
    nodes.append(helper.make_node("Gemm", ["features", "w", "b"], ["scores"]))
    (root / "mobile.onnx").write_bytes(_build(nodes, constants, "scores", len(CLASSES)))
    counted = sum(int(np.prod(array.dims)) for array in constants)
    print(f"a network of {counted:,} parameters")
    known = PictureOptions(size=(224, 224), scale="unit", channels="RGB", resize="squash")
    options = AddOptions((root / "mobile.onnx",), "mobile", root / "train", pictures=known)
    return add_from_files(options, root, lambda _: None, lambda _: True).folder


def _build(
    nodes: list[onnx.NodeProto], constants: list[onnx.TensorProto], output: str, width: int
) -> bytes:
    def describe(name: str, *shape: int | str) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", *shape])

    graph = helper.make_graph(
        nodes, "mobile", [describe("pictures", 3, 224, 224)], [describe(output, width)], constants
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    content: bytes = model.SerializeToString()
    return content


def main() -> None:
    """Print CPU time of this thread, in milliseconds, and memory, in MB."""
    import onnxruntime  # noqa: F401  # its own memory and time are not the model's

    limit_heaps()
    temporary = tempfile.TemporaryDirectory()
    given = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "model" / "chest_xray")
    folder = add_mobile(Path(temporary.name)) if given == "--mobile" else Path(given)
    resident, started = _read_resident(), time.thread_time()
    model = load_as(PictureModel, folder)
    loaded = (time.thread_time() - started) * 1000
    prepare_fork()
    print(f"start: {loaded:.0f} ms, {_read_resident() - resident:.0f} MB")
    for size in SIZES:
        file = BytesIO()
        drawn = Image.fromarray(draw_chest(1))
        if given == "--mobile":
            drawn = draw_shape("circle", np.random.default_rng(2))
        drawn.resize(size).save(file, "JPEG")
        spent = []
        for _ in range(30):
            started = time.thread_time()
            (found,) = model.explain([model.card.field.validate_value(file.getvalue())])
            spent.append((time.thread_time() - started) * 1000)
        assert found.prediction is not None or given != "--mobile", "it was refused"
        late = sorted(spent)[int(len(spent) * 0.95)]
        width, height = size
        print(f"{width} x {height}: median {statistics.median(spent):.1f} ms, 95 % {late:.1f} ms")
    print(f"all: {_read_resident() - resident:.0f} MB")


def _read_resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


if __name__ == "__main__":
    main()
