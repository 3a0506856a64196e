"""Train the chest X-ray model: `python -m model.chest_xray.train DIR --work WORK` (see --help).

DIR holds train/NORMAL and train/PNEUMONIA as in the Kaggle set "Chest X-Ray Images (Pneumonia)".
Patients are split into folds; one network a fold is trained on the other folds and judged on
its own, clean and under strong augmentation. The networks of all folds, averaged, are what is
exported, so every figure comes from pictures of patients that its network never saw.
"""

from __future__ import annotations

import argparse
import copy
import json
import re
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import onnxruntime  # type: ignore[import-untyped] # it ships no types
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from model.chest_xray import augment, record, support
from model.chest_xray.network import ChestNet
from model.contract.arrays import FloatArray

SEED = record.SEED
BATCH = 32
PEAK_RATE = 4e-3
WEIGHT_DECAY = 0.05
SMOOTHING = 0.03
MIXUP = 0.3
CAUSE_WEIGHT = 0.2
EMA = 0.995
MAX_BYTES = 12_000_000


@dataclass(frozen=True)
class XRays:
    """The folder in memory: pictures [N, 224, 224], uint8, with what their names say."""

    pictures: NDArray[np.uint8]
    sick: NDArray[np.bool_]
    virus: NDArray[np.bool_]
    batch: NDArray[np.str_]
    patient: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.pictures)


def read_name(name: str) -> tuple[str, str, bool]:
    """BatchPredictor, patient and "is a virus" from a file name.

    >>> read_name("person123_virus_456.jpeg")
    ('person', 'person123', True)
    >>> read_name("NORMAL2-IM-0383-0001.jpeg")
    ('NORMAL2', 'IM-0383', False)

    The two batches of normal pictures number their patients alike; whether the same number is the
    same child is not known, so it counts as the same.

    Raises ValueError for a name of another form.
    """
    match = re.match(r"(?:(NORMAL2-)?(IM-\d+)|(person\d+)_(bacteria|virus))[-_]", name)
    if match is None:
        raise ValueError(f"{name}: expected IM-0115-0001.jpeg or person123_bacteria_456.jpeg")
    second, normal, person, cause = match.groups()
    if normal:
        return "NORMAL2" if second else "IM", normal, False
    return "person", person, cause == "virus"


def load(folder: Path) -> XRays:
    """Read all pictures of the folder. Raises ValueError for one of another size."""
    pictures, sick, virus, batches, patients = [], [], [], [], []
    for kind in ("NORMAL", "PNEUMONIA"):
        for path in sorted((folder / "train" / kind).glob("*.jp*g")):
            picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
            if picture is None or picture.shape != (224, 224):
                raise ValueError(f"{path}: not a picture of 224 x 224 pixels")
            batch, patient, is_virus = read_name(path.name)
            pictures.append(np.asarray(picture, dtype=np.uint8))
            sick.append(kind == "PNEUMONIA")
            virus.append(is_virus)
            batches.append(batch)
            patients.append(patient)
    if not pictures:
        raise ValueError(f"{folder}: no pictures under train/NORMAL and train/PNEUMONIA")
    return XRays(
        np.stack(pictures),
        np.array(sick),
        np.array(virus),
        np.array(batches),
        np.array(patients),
    )


def patient_folds(patients: NDArray[np.str_], batches: NDArray[np.str_], folds: int) -> FloatArray:
    """The fold of each picture: whole patients, each batch dealt out evenly."""
    rng = np.random.default_rng(SEED)
    fold_of: dict[str, int] = {}
    for batch in np.unique(batches):
        own = np.unique(patients[batches == batch])
        for index, patient in enumerate(rng.permutation(own)):
            fold_of.setdefault(str(patient), index % folds)
    return np.array([fold_of[str(patient)] for patient in patients])


def _loss(
    net: ChestNet, x: Tensor, sick: Tensor, virus: Tensor, rng: np.random.Generator
) -> Tensor:
    # Mixup (Zhang et al., ICLR 2018); the two terms of the loss share one forward pass.
    share = float(rng.beta(MIXUP, MIXUP))
    other = torch.from_numpy(rng.permutation(len(x)))
    logit, _, pooled = net(share * x + (1 - share) * x[other])
    cause = net.cause(pooled)[:, 0]
    total = torch.zeros(())
    for weight, index in ((share, slice(None)), (1 - share, other)):
        target = sick[index] * (1 - 2 * SMOOTHING) + SMOOTHING
        by_cause = F.binary_cross_entropy_with_logits(cause, virus[index], reduction="none")
        total = total + weight * (
            F.binary_cross_entropy_with_logits(logit, target)
            + CAUSE_WEIGHT * (by_cause * sick[index]).mean()
        )
    return total


@torch.no_grad()
def _follow(average: ChestNet, net: ChestNet, step: int) -> None:
    # The moving average starts short, or the random first weights would weigh for long.
    keep = min(EMA, (step + 1) / (step + 10))
    current = net.state_dict()
    for name, value in average.state_dict().items():
        if value.dtype.is_floating_point:
            value.lerp_(current[name], 1 - keep)
        else:
            value.copy_(current[name])


def fit(data: XRays, rows: NDArray[np.intp], samples: int, seed: int, label: str) -> ChestNet:
    """Train one network on the given rows, with `samples` augmented views, half of each class.

    AdamW (Loshchilov and Hutter, ICLR 2019) on a one-cycle rate (Smith and Topin, 2018); what
    is returned is the moving average of the weights, in evaluation mode.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    normal, sick = rows[~data.sick[rows]], rows[data.sick[rows]]
    net = ChestNet()
    # Channels last is what the convolutions of a CPU are quickest at.
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = copy.deepcopy(net)
    average.eval()
    weights = [p for p in net.parameters() if p.ndim > 1]
    others = [p for p in net.parameters() if p.ndim <= 1]
    optimiser = torch.optim.AdamW(
        [{"params": weights, "weight_decay": WEIGHT_DECAY}, {"params": others, "weight_decay": 0}]
    )
    steps = samples // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, PEAK_RATE, total_steps=steps, pct_start=0.2
    )
    started = time.process_time()
    recent: list[float] = []
    for step in range(steps):
        chosen = np.concatenate([rng.choice(normal, BATCH // 2), rng.choice(sick, BATCH // 2)])
        donors = rng.choice(rows, BATCH)
        views = np.stack(
            [
                augment.augment(data.pictures[row], data.pictures[donor], rng)
                for row, donor in zip(chosen, donors, strict=True)
            ]
        )
        loss = _loss(
            net,
            torch.from_numpy(views[:, None]).float() / 255,
            torch.from_numpy(data.sick[chosen]).float(),
            torch.from_numpy(data.virus[chosen]).float(),
            rng,
        )
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimiser.step()
        schedule.step()
        _follow(average, net, step)
        recent.append(float(loss.detach()))
        if (step + 1) % 100 == 0 or step + 1 == steps:
            spent = time.process_time() - started
            print(
                f"{label}: step {step + 1}/{steps}, loss {np.mean(recent[-100:]):.3f}, "
                f"{spent:.0f} s of one core",
                flush=True,
            )
    return average


@torch.no_grad()
def logits(net: ChestNet, pictures: NDArray[np.uint8]) -> FloatArray:
    """The logit of each picture, float64 [N], before calibration."""
    parts = [
        net(torch.from_numpy(pictures[at : at + 64, None]).float() / 255)[0]
        for at in range(0, len(pictures), 64)
    ]
    return torch.cat(parts).double().numpy()


def _hard_views(data: XRays, rows: NDArray[np.intp], seed: int) -> dict[str, NDArray[np.uint8]]:
    rng = np.random.default_rng(seed)
    views = {
        name: np.stack([change(data.pictures[row], rng) for row in rows])
        for name, change in augment.CORRUPTIONS.items()
    }
    views["other style"] = np.stack(
        [augment.other_style(data.pictures[row], rng, normal=not data.sick[row]) for row in rows]
    )
    return {"clean": data.pictures[rows]} | views


@dataclass(frozen=True)
class Job:
    """One network to train: on `train`, judged on `test`, kept under `path`."""

    label: str
    folder: Path
    train: NDArray[np.intp]
    test: NDArray[np.intp]
    samples: int
    seed: int
    path: Path


def run(job: Job) -> tuple[dict[str, FloatArray], float]:
    """Train and judge, unless `job.path` holds that already: logits by condition, core seconds."""
    torch.set_num_threads(1)
    if not job.path.exists():
        data = load(job.folder)
        started = time.process_time()
        net = fit(data, job.train, job.samples, job.seed, job.label)
        seconds = time.process_time() - started
        views = _hard_views(data, job.test, job.seed)
        answers = {name: torch.from_numpy(logits(net, views[name])) for name in views}
        kept = {"weights": net.state_dict(), "seconds": seconds, "logits": answers}
        torch.save(kept, job.path)
    kept = torch.load(job.path, weights_only=True)
    return {name: values.numpy() for name, values in kept["logits"].items()}, kept["seconds"]


def expected_calibration_error(
    probability: FloatArray, sick: NDArray[np.bool_], bins: int = 10
) -> float:
    """Mean gap between stated probability and observed share, over equal bins, weighted by count.

    Guo et al., "On calibration of modern neural networks", ICML 2017.
    """
    index = np.minimum((probability * bins).astype(int), bins - 1)
    gaps = [
        abs(probability[index == b].mean() - sick[index == b].mean()) * np.mean(index == b)
        for b in range(bins)
        if np.any(index == b)
    ]
    return float(sum(gaps))


def auc(score: FloatArray, sick: NDArray[np.bool_]) -> float:
    """Area under the ROC curve: the share of pairs in the right order, ties counting half."""
    ordered = np.sort(score[~sick])
    below = np.searchsorted(ordered, score[sick], "left")
    upto = np.searchsorted(ordered, score[sick], "right")
    return float((below + upto).mean() / (2 * len(ordered)))


def measure(logit: FloatArray, sick: NDArray[np.bool_]) -> dict[str, float]:
    """AUC, and at the threshold (logit 0) accuracy, balanced accuracy and its parts; Brier, ECE."""
    probability = 1 / (1 + np.exp(-logit))
    said = logit > 0
    sensitivity, specificity = float(said[sick].mean()), float((~said[~sick]).mean())
    return {
        "auc": auc(logit, sick),
        "accuracy": float((said == sick).mean()),
        "balanced_accuracy": (sensitivity + specificity) / 2,
        "sensitivity": sensitivity,
        "specificity": specificity,
        "brier": float(np.square(probability - sick).mean()),
        "ece": expected_calibration_error(probability, sick),
    }


def balanced(measured: dict[str, FloatArray], sick: NDArray[np.bool_]) -> tuple[float, float]:
    """Scale and offset that calibrate the logits, with both classes weighing the same.

    Platt scaling (1999): temperature scaling with an offset. It is fitted on held-out logits of
    all conditions together, as the pictures to come are harder than the clean ones. With classes
    of equal weight, probability 0.5 is the threshold of the best balanced accuracy, so the word
    and the number on the page agree.
    """
    logit = torch.from_numpy(np.concatenate(list(measured.values())))
    target = torch.from_numpy(np.tile(sick, len(measured))).double()
    share = target.mean()
    weight = torch.where(target > 0, 0.5 / share, 0.5 / (1 - share))
    numbers = torch.tensor([1.0, 0.0], dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([numbers], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = F.binary_cross_entropy_with_logits(numbers[0] * logit + numbers[1], target, weight)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    scale, offset = numbers.detach().tolist()
    return scale, offset


class Served(nn.Module):
    """All networks as one: their mean logit, calibrated, their mean map, and the support.

    `scale` and `offset` turn the mean logit into the calibrated one (0 is the threshold); the map
    is scaled alike, so its mean is still the logit less a constant.
    """

    def __init__(
        self, members: list[ChestNet], known: support.Support, scale: float, offset: float
    ) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.known = known
        self.scale = scale
        self.offset = offset

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Grey pictures [N, 1, 224, 224] in 0..1 to what the app shows.

        The probability of pneumonia [N], its logit [N], the map [N, 7, 7] (above 0 speaks for
        pneumonia), the features [N, D], and the strangeness [N]: above 0 is no chest X-ray.
        """
        answers = [member(x) for member in self.members]
        logit = torch.stack([answer[0] for answer in answers]).mean(0) * self.scale + self.offset
        heat = torch.stack([answer[1] for answer in answers]).mean(0) * self.scale
        features = [answer[2] for answer in answers]
        strangeness = self.known(x, features)
        return torch.sigmoid(logit), logit, heat, torch.cat(features, 1), strangeness


def _halve(model: onnx.ModelProto) -> None:
    # The weights of the convolutions are stored in half precision and cast back when the session
    # starts: half the file, the same speed, and a difference far below what JPEG makes.
    casts = []
    for tensor in model.graph.initializer:
        if len(tensor.dims) == 4 and tensor.data_type == onnx.TensorProto.FLOAT:
            name = tensor.name
            values = onnx.numpy_helper.to_array(tensor).astype(np.float16)
            tensor.CopyFrom(onnx.numpy_helper.from_array(values, f"{name}_half"))
            casts.append(onnx.helper.make_node("Cast", [f"{name}_half"], [name], to=1))
    for node in reversed(casts):
        model.graph.node.insert(0, node)


def export(served: Served, path: Path) -> None:
    """Write the ONNX file: input `picture`; outputs named as `Served.forward` returns them."""
    names = ["probability", "logit", "map", "features", "strangeness"]
    axes: dict[str, dict[int, str]] = {name: {0: "n"} for name in ["picture", *names]}
    torch.onnx.export(
        served.eval(),
        (torch.rand(2, 1, 224, 224),),
        str(path),
        input_names=["picture"],
        output_names=names,
        dynamic_axes=axes,
        opset_version=17,
        dynamo=False,
    )
    model = onnx.load(str(path))
    _halve(model)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def check(served: Served, path: Path, pictures: NDArray[np.uint8]) -> dict[str, float]:
    """Hold the ONNX file against the network, and time it on one thread.

    Raises ValueError where a probability differs by more than 0.01 or the file is too large.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    x = pictures[:, None].astype(np.float32) / 255
    with torch.no_grad():
        wanted = served(torch.from_numpy(x))[0].numpy()
    spent, given = [], []
    for one in x:
        started = time.thread_time()
        given.append(session.run(["probability", "map", "strangeness"], {"picture": one[None]})[0])
        spent.append(time.thread_time() - started)
    worst = float(np.abs(np.concatenate(given) - wanted).max())
    size = path.stat().st_size
    if not worst <= 0.01 or size > MAX_BYTES:  # NaN is no answer
        raise ValueError(f"{path}: {size} bytes, probabilities differ by up to {worst:.4f}")
    return {
        "bytes": size,
        "largest_difference": worst,
        "milliseconds_of_one_core": 1000 * float(np.median(spent)),
    }


def _strange_pictures(rng: np.random.Generator) -> tuple[NDArray[np.uint8], FloatArray, list[str]]:
    # Imported here: training itself needs no negatives, only the figures about them do.
    from model.chest_xray import negatives
    from model.contract import pictures

    drawn = [(kind, make(rng)) for kind, make in negatives.RENDERED.items() for _ in range(30)]
    for name, picture in negatives.packaged():
        drawn += [(name, negatives.view(picture, rng) if k else picture) for k in range(6)]
    squares = np.stack([pictures.to_square(pictures.to_grey(image)) for _, image in drawn])
    colours = np.array([pictures.measure_colourfulness(image) for _, image in drawn])
    return squares, colours, [name for name, _ in drawn]


def build_support(
    data: XRays, fold: FloatArray, nets: list[ChestNet], limit: float
) -> tuple[support.Support, dict[str, Any]]:
    """Fit the measure of support for each network, put them together, and measure it.

    `limit` is the share of held-out X-rays, clean and mildly changed alike, that may be refused.
    """
    rng = np.random.default_rng(SEED)
    # Every other picture, as it is and mildly changed: plenty for the covariance of 192 features.
    originals = data.pictures[::2]
    changed = np.stack([support.mild(picture, rng) for picture in originals])
    pictures = np.concatenate([originals, changed])
    own_fold = torch.from_numpy(np.tile(fold[::2], 2))
    flat, rest = support.looks(pictures)
    known: list[support.Gaussian] = []
    shapes: list[support.Gaussian] = []
    scores = torch.zeros(len(pictures))
    for index, net in enumerate(nets):
        # Distances are put on the scale of patients that the network was not trained on, as its
        # features of pictures that it knows lie closer together.
        seen, held_out = own_fold != index, own_fold == index
        thumbnail, shape = support.fit_looks(flat[seen], rest[seen])
        described = thumbnail.describe(flat[held_out], rest[held_out])
        shape.centre(described)
        values = support.features(net, pictures)
        gaussian = support.Gaussian(values[seen])
        gaussian.centre(values[held_out])
        scores[held_out] = shape(described) + gaussian(values[held_out])
        known.append(gaussian)
        shapes.append(shape)
        print(f"support: network {index + 1} of {len(nets)} done", flush=True)
    threshold = float(torch.quantile(scores, 1 - limit))
    # One thumbnail model serves: that of the whole folder, on the scale of the held-out ones.
    thumbnail, shape = support.fit_looks(flat, rest)
    shape.middle = torch.stack([one.middle for one in shapes]).mean()
    shape.spread = torch.stack([one.spread for one in shapes]).mean()
    whole = support.Support(thumbnail, shape, known)
    whole.threshold = threshold
    clean, moved = scores.numpy().reshape(2, -1) > threshold
    squares, colours, names = _strange_pictures(rng)
    strange = support.score(whole, nets, squares) > 0
    # A chest X-ray is grey: `colourfulness` above 25 is refused before the network.
    either = strange | (colours > 25)
    kinds = np.array(names)
    public = np.char.find(kinds, "/") >= 0
    worst = sorted((float(either[kinds == kind].mean()), str(kind)) for kind in set(names))
    return whole.eval(), {
        "threshold": threshold,
        "xrays_refused_clean": float(clean.mean()),
        "xrays_refused_mildly_changed": float(moved.mean()),
        "others_refused": float(either.mean()),
        "others_refused_without_colour": float(strange.mean()),
        "rendered_refused": float(either[~public].mean()),
        "rendered_refused_without_colour": float(strange[~public].mean()),
        "public_pictures_refused": float(either[public].mean()),
        "public_pictures_refused_without_colour": float(strange[public].mean()),
        "others": len(names),
        "least_refused": {kind: share for share, kind in worst[:6]},
    }


def _batch_jobs(data: XRays, folder: Path, samples: int, work: Path) -> list[Job]:
    # The nearest thing here to pictures from elsewhere: a whole batch of normal pictures and half
    # the range of patient numbers of the others, unseen.
    number = np.array([int(re.sub(r"\D", "", patient)) for patient in data.patient])
    low = number <= np.median(number[data.sick])
    jobs = []
    for batch, half in (("IM", low), ("NORMAL2", ~low)):
        test = np.where(data.sick, half, data.batch == batch)
        known = np.isin(data.patient, data.patient[test])
        label = f"without {batch}"
        path = work / f"without-{batch}.pt"
        train, judged = np.flatnonzero(~known), np.flatnonzero(test)
        jobs.append(Job(label, folder, train, judged, samples, SEED, path))
    return jobs


def main() -> None:
    """Train, measure and export; see --help."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR", help="holds train/NORMAL, ...")
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parent, help="for model.onnx, manifest.json"
    )
    parser.add_argument("--work", type=Path, required=True, help="keeps weights, to go on later")
    parser.add_argument("--folds", type=int, default=4, help="networks in the ensemble")
    parser.add_argument("--samples", type=int, default=36_000, help="views that each one sees")
    parser.add_argument(
        "--batch-samples", type=int, default=12_000, help="same, batches left out; 0: not at all"
    )
    parser.add_argument("--processes", type=int, default=2, help="networks trained at a time")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    folder, work = options.folder.resolve(), options.work.resolve()

    data = load(folder)
    fold = patient_folds(data.patient, data.batch, options.folds)
    jobs = [
        Job(
            f"fold {index + 1}",
            folder,
            np.flatnonzero(fold != index),
            np.flatnonzero(fold == index),
            options.samples,
            SEED + index,
            work / f"fold{index + 1}.pt",
        )
        for index in range(options.folds)
    ]
    batch_jobs = []
    if options.batch_samples:
        batch_jobs = _batch_jobs(data, folder, options.batch_samples, work)
    with ProcessPoolExecutor(options.processes, mp_context=get_context("spawn")) as pool:
        answers = list(pool.map(run, jobs + batch_jobs))

    judged = np.concatenate([job.test for job in jobs])
    sick = data.sick[judged]
    by_fold = [answer for answer, _ in answers[: options.folds]]
    out_of_fold = {name: np.concatenate([own[name] for own in by_fold]) for name in by_fold[0]}
    scale, offset = balanced(out_of_fold, sick)
    nets = []
    for job in jobs:
        net = ChestNet().eval()
        net.load_state_dict(torch.load(job.path, weights_only=True)["weights"])
        nets.append(net)
    measure_of_support, support_figures = build_support(data, fold, nets, limit=0.004)
    served = Served(nets, measure_of_support, scale, offset).eval()
    path = options.out / "model.onnx"
    export(served, path)
    metrics = {
        "pictures": len(data),
        "patients": len(np.unique(data.patient)),
        "folds": options.folds,
        "samples_per_network": options.samples,
        "core_seconds_per_network": [round(seconds) for _, seconds in answers],
        "calibration": {"scale": scale, "offset": offset, "prior": 0.5, "threshold": 0.5},
        "cross_validated": {
            name: measure(scale * logit + offset, sick) for name, logit in out_of_fold.items()
        },
        "batches_left_out": {
            job.label: {
                name: measure(scale * logit + offset, data.sick[job.test])
                for name, logit in answer.items()
            }
            for job, (answer, _) in zip(batch_jobs, answers[options.folds :], strict=True)
        },
        "support": support_figures,
        "artifact": check(served, path, data.pictures[::97]),
    }
    (options.out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    manifest = record.manifest(metrics, path, record.folder_hash(folder), record.libraries())
    (options.out / "manifest.json").write_text(manifest.model_dump_json(indent=1) + "\n")
    print(json.dumps(metrics, indent=2))


if __name__ == "__main__":
    main()
