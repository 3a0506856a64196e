"""Train one network, and predict pictures that it has not seen."""

import copy
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from model.chest_xray.arrays import GreyArray, Rng
from model.chest_xray.augment import augment
from model.chest_xray.corruptions import change_all, restyle
from model.chest_xray.data import XRays, read_xrays
from model.chest_xray.network import ChestNet, iterate_batches, load_pretrained
from model.contract.arrays import Float64Array, IntArray

BATCH = 32
PEAK_RATE = 2e-4
HEAD_RATE = 2e-3
WEIGHT_DECAY = 0.05
SMOOTHING = 0.03
MIXUP = 0.3
CAUSE_WEIGHT = 0.2
EMA = 0.99


def _loss(net: ChestNet, x: Tensor, sick: Tensor, virus: Tensor, rng: Rng) -> Tensor:
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
def _update_average(average: ChestNet, net: ChestNet, step: int) -> None:
    # A short average at the start forgets the first weights soon.
    keep = min(EMA, (step + 1) / (step + 10))
    for value, current in zip(average.parameters(), net.parameters(), strict=True):
        value.lerp_(current, 1 - keep)


def fit_network(data: XRays, rows: IntArray, samples: int, seed: int, label: str) -> ChestNet:
    """Fine-tune one network on some rows of the pictures; half of its views are of each class.

    AdamW (Loshchilov and Hutter, ICLR 2019) on a one-cycle rate (Smith and Topin, 2018).

    Args:
        data: all pictures.
        rows: the rows to train on, [M].
        samples: how many augmented views the network sees.
        seed: seeds weights and views.
        label: what stands before each line of progress.

    Returns:
        The moving average of the weights, as a network in evaluation mode.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    normal, sick = rows[~data.sick[rows]], rows[data.sick[rows]]
    net = load_pretrained()
    # Convolutions on a CPU are fastest with channels last.
    net.to(memory_format=torch.channels_last)
    average = copy.deepcopy(net)
    average.eval()
    heads = [*net.head.parameters(), *net.cause.parameters()]
    others = [*net.body.parameters(), *net.last.parameters()]
    optimiser = torch.optim.AdamW(
        [{"params": others}, {"params": heads}], weight_decay=WEIGHT_DECAY
    )
    steps = samples // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, [PEAK_RATE, HEAD_RATE], total_steps=steps, pct_start=0.2
    )
    started = time.process_time()
    recent: list[float] = []
    for step in range(steps):
        chosen = np.concatenate([rng.choice(normal, BATCH // 2), rng.choice(sick, BATCH // 2)])
        donors = rng.choice(rows, BATCH)
        views = np.stack(
            [
                augment(data.pictures[row], data.pictures[donor], rng)
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
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimiser.step()
        schedule.step()
        _update_average(average, net, step)
        recent.append(float(loss.detach()))
        if (step + 1) % 25 == 0 or step + 1 == steps:
            seconds = time.process_time() - started
            print(
                f"{label}: step {step + 1}/{steps}, loss {np.mean(recent[-25:]):.3f}, "
                f"{seconds:.0f} s of one core",
                flush=True,
            )
    return average


@torch.no_grad()
def predict_logits(net: ChestNet, pictures: GreyArray) -> Float64Array:
    """Return the logits [2, N] of pictures [N, 224, 224] and of their mirror images."""
    parts = [torch.stack([net(x)[0], net(x.flip(3))[0]]) for x in iterate_batches(pictures)]
    return torch.cat(parts, 1).double().numpy()


def _make_test_views(data: XRays, rows: IntArray, seed: int) -> dict[str, GreyArray]:
    rng = np.random.default_rng(seed)
    return {
        "clean": data.pictures[rows],
        "together": np.stack([change_all(data.pictures[row], rng) for row in rows]),
        "other style": np.stack(
            [restyle(data.pictures[row], rng, normal=not data.sick[row]) for row in rows]
        ),
    }


def save_whole(value: object, path: Path) -> None:
    """Save a value for `torch.load`; a training that is stopped meanwhile leaves no half a file."""
    begun = path.with_suffix(".begun")
    torch.save(value, begun)
    begun.replace(path)


@dataclass(frozen=True)
class TrainingJob:
    """One network to train on the rows `train` [M] and to judge on the rows `test` [K].

    Weights and logits are saved in the file `path`.
    """

    label: str
    folder: Path
    train: IntArray
    test: IntArray
    samples: int
    seed: int
    path: Path


def run_job(job: TrainingJob) -> tuple[dict[str, Float64Array], float]:
    """Train and judge a network, unless `job.path` holds the outcome already.

    Returns:
        The logits [2, K] of the test rows by condition, see `predict_logits`, and the seconds of
        one core for training.
    """
    torch.set_num_threads(1)
    if not job.path.exists():
        data = read_xrays(job.folder)
        started = time.process_time()
        net = fit_network(data, job.train, job.samples, job.seed, job.label)
        seconds = time.process_time() - started
        views = _make_test_views(data, job.test, job.seed)
        outputs = {name: torch.from_numpy(predict_logits(net, views[name])) for name in views}
        saved = {"weights": net.state_dict(), "seconds": seconds, "logits": outputs}
        save_whole(saved, job.path)
    saved = torch.load(job.path, weights_only=True)
    return {name: values.numpy() for name, values in saved["logits"].items()}, saved["seconds"]
