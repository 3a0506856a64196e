"""All networks as one: calibrated, exported as ONNX, and compared with what was exported."""

import time
from pathlib import Path

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.chest_xray.arrays import GreyArray
from model.chest_xray.network import ChestNet
from model.chest_xray.out_of_distribution import OutOfDistributionScore
from model.contract.arrays import BoolArray, Float64Array
from model.serving.predictors import open_session

MAX_BYTES = 16_000_000


def fit_platt_scaling(logits: Float64Array, sick: BoolArray) -> tuple[float, float]:
    """Return scale and offset that calibrate the logits, with equal weight for both classes.

    Platt scaling (1999) is temperature scaling with an offset. It is fitted to all conditions,
    because the pictures to come are harder than the clean ones. Equal weights make probability 0.5
    the threshold of the best balanced accuracy, so word and number on the page agree.

    Args:
        logits: held-out logits, [N].
        sick: whether each picture shows pneumonia, [N].
    """
    logit = torch.from_numpy(logits)
    target = torch.from_numpy(sick).double()
    share = target.mean()
    weight = torch.where(target > 0, 0.5 / share, 0.5 / (1 - share))
    numbers = torch.tensor([1.0, 0.0], dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([numbers], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = F.binary_cross_entropy_with_logits(numbers[0] * logit + numbers[1], target, weight)
        loss.backward()
        return loss

    optimiser.step(closure)
    scale, offset = numbers.detach().tolist()
    return scale, offset


class Ensemble(nn.Module):
    """All networks as one: calibrated mean map, its mean as the logit, and the gate's score.

    `scale` and `offset` calibrate the map, so the mean of the map is the logit, whose threshold is
    0. The layers that training never changed are the same in all networks, and run once.
    """

    def __init__(
        self,
        members: list[ChestNet],
        ood_score: OutOfDistributionScore,
        scale: float,
        offset: float,
        *,
        mirror: bool,
    ) -> None:
        """Take networks of one start; with `mirror` they see the mirror image as well."""
        super().__init__()
        self.members = nn.ModuleList(members)
        self.ood_score = ood_score
        self.scale = scale
        self.offset = offset
        self.mirror = mirror

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Turn grey pictures [N, 1, 224, 224] in 0..1 into what the app shows.

        Returns:
            The probability of pneumonia [N], the map [N, 5, 5] in logits (above 0 speaks for
            pneumonia), and the out-of-distribution score [N] (above 0 is no chest X-ray).
        """
        first = self.members[0]
        seen = first.see(x)
        maps = [member.answer(seen)[1] for member in self.members]
        if self.mirror:
            mirrored = first.see(x.flip(3))
            maps += [member.answer(mirrored)[1].flip(2) for member in self.members]
        heat = torch.stack(maps).mean(0) * self.scale + self.offset
        return torch.sigmoid(heat.mean((1, 2))), heat, self.ood_score(x, seen)


def export_onnx(ensemble: Ensemble, path: Path) -> None:
    """Write the ONNX file, with the input `picture` and the outputs of `Ensemble.forward`.

    The output `strangeness` is the out-of-distribution score.
    """
    names = ["probability", "map", "strangeness"]
    axes: dict[str, dict[int, str]] = {name: {0: "n"} for name in ["picture", *names]}
    torch.onnx.export(
        ensemble.eval(),
        (torch.rand(2, 1, 224, 224),),
        str(path),
        input_names=["picture"],
        output_names=names,
        dynamic_axes=axes,
        opset_version=17,
        dynamo=False,
    )
    model = onnx.load(str(path))
    _fold_padding(model.graph)
    _halve_weights(model)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def _fold_padding(graph: onnx.GraphProto) -> None:
    # PyTorch pads before a convolution where one side gets more than the other; ONNX can say so in
    # the convolution itself, which saves two copies of the largest arrays.
    padded = {node.output[0]: node.input[0] for node in graph.node if node.op_type == "Pad"}
    for node in graph.node:
        if node.op_type == "Conv" and node.input[0] in padded:
            node.input[0] = padded[node.input[0]]
            given = {item.name: item.ints for item in node.attribute}
            (whole,) = {k - s for k, s in zip(given["kernel_shape"], given["strides"], strict=True)}
            given["pads"][:] = [whole // 2] * 2 + [whole - whole // 2] * 2
    needed = {output.name for output in graph.output}
    kept = []
    for node in reversed(graph.node):  # without what only computed the sizes of the padding
        if needed.intersection(node.output):
            needed.update(node.input)
            kept.append(node)
    del graph.node[:]
    graph.node.extend(reversed(kept))


def _halve_weights(model: onnx.ModelProto) -> None:
    # Convolution weights are stored in half precision and cast back when the session starts: half
    # the file, the same speed, and a difference far below that of saving as JPEG.
    casts = []
    for tensor in model.graph.initializer:
        if len(tensor.dims) == 4 and tensor.data_type == onnx.TensorProto.FLOAT:
            name = tensor.name
            values = onnx.numpy_helper.to_array(tensor).astype(np.float16)
            tensor.CopyFrom(onnx.numpy_helper.from_array(values, f"{name}_half"))
            casts.append(onnx.helper.make_node("Cast", [f"{name}_half"], [name], to=1))
    for node in reversed(casts):
        model.graph.node.insert(0, node)


def check_onnx(ensemble: Ensemble, path: Path, pictures: GreyArray) -> dict[str, float]:
    """Compare the ONNX file with the networks on pictures [N, 224, 224], and time it on one thread.

    Raises:
        ValueError: a probability differs by more than 0.01, or the file is too large.
    """
    session = open_session(path)
    x = pictures[:, None].astype(np.float32) / 255
    with torch.no_grad():
        expected = ensemble(torch.from_numpy(x))[0].numpy()
    seconds, probabilities = [], []
    for picture in x:
        started = time.thread_time()
        probabilities.append(
            session.run(["probability", "map", "strangeness"], {"picture": picture[None]})[0]
        )
        seconds.append(time.thread_time() - started)
    worst = float(np.abs(np.concatenate(probabilities) - expected).max())
    size = path.stat().st_size
    if not worst <= 0.01 or size > MAX_BYTES:  # not (…) catches NaN
        raise ValueError(f"{path}: {size} bytes, probabilities differ by up to {worst:.4f}")
    return {
        "bytes": size,
        "largest_difference": worst,
        "milliseconds_of_one_core": 1000 * float(np.median(seconds)),
    }
