"""Fit the score that refuses what is no chest X-ray, and measure what it refuses."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from model.chest_xray import misuse, negatives
from model.chest_xray import out_of_distribution as ood
from model.chest_xray.arrays import GreyArray, Rng
from model.chest_xray.data import XRays
from model.chest_xray.manifest import COLOUR_LIMIT, SEED
from model.chest_xray.network import ChestNet, iterate_batches
from model.contract.arrays import Float64Array, IntArray
from model.contract.pictures import measure_colourfulness, to_grey, to_square
from model.serving.kinds.pictures import OnnxPicturePredictor

_STRENGTH = 1e-3
"""C of the logistic regression, on standardised values."""

_MISTAKEN = 1.0
"""The least logit that refuses: X-rays from elsewhere differ from these more than folds do."""

_CLOSE = 0.1
"""Difference of two probabilities up to which they count as the same answer."""


def fit_ood_score(
    data: XRays, fold: IntArray, net: ChestNet, limit: float
) -> tuple[ood.OutOfDistributionScore, dict[str, Any]]:
    """Fit the out-of-distribution score, and measure what it refuses.

    Args:
        data: all pictures.
        fold: the fold of each picture, [N].
        net: a network; only its frozen layers are used.
        limit: share of held-out X-rays, clean and mildly changed, that each of the two parts of
            the score may refuse.

    Returns:
        The score with its thresholds, and the shares of X-rays and other pictures that it refuses.
    """
    rng = np.random.default_rng(SEED)
    # Half of the pictures suffice for the covariance; a quarter, of the others, is sent wrongly.
    right, wrong = np.arange(0, len(data), 2), np.arange(1, len(data), 4)
    originals = data.pictures[right]
    changed = np.stack([ood.change_mildly(_mirror_some(item, rng), rng) for item in originals])
    pictures = np.concatenate([originals, changed])
    mistakes = [
        np.stack([change(picture, rng) for picture in data.pictures[wrong]])
        for change in misuse.REFUSED.values()
    ]
    flat, rest = ood.measure_thumbnails(pictures)
    layouts = ood.measure_layouts(net, pictures)
    mistaken_layouts = torch.cat([ood.measure_layouts(net, item) for item in mistakes])
    print("out-of-distribution score: pictures measured", flush=True)
    right_fold = torch.from_numpy(np.tile(fold[right], 2))
    wrong_fold = torch.from_numpy(np.tile(fold[wrong], len(mistakes)))
    # Held-out patients set the scale of the distances and the thresholds.
    scales: list[tuple[ood.Gaussian, ood.Gaussian]] = []
    distances, logits = torch.zeros(len(pictures)), torch.zeros(len(pictures))
    mistaken_logits = torch.zeros(len(wrong_fold))
    for index in range(int(fold.max()) + 1):
        fitted_on, held_out = right_fold != index, right_fold == index
        thumbnail, thumbnail_model = ood.fit_thumbnail(flat[fitted_on], rest[fitted_on])
        described = thumbnail.describe(flat[held_out], rest[held_out])
        thumbnail_model.standardise(described)
        layout, layout_model = ood.fit_layout(layouts[fitted_on])
        layout_model.standardise(layout(layouts[held_out]))
        distances[held_out] = thumbnail_model(described) + layout_model(layout(layouts[held_out]))
        mistaken = _fit_mistaken(layouts[fitted_on], mistaken_layouts[wrong_fold != index])
        logits[held_out] = mistaken(layouts[held_out])
        mistaken_logits[wrong_fold == index] = mistaken(mistaken_layouts[wrong_fold == index])
        scales.append((thumbnail_model, layout_model))
    thresholds = (
        float(torch.quantile(distances, 1 - limit)),
        max(float(torch.quantile(logits, 1 - limit)), _MISTAKEN),
    )
    thumbnail, thumbnail_model = ood.fit_thumbnail(flat, rest)
    layout, layout_model = ood.fit_layout(layouts)
    for final, fitted in zip(
        (thumbnail_model, layout_model), zip(*scales, strict=True), strict=True
    ):
        final.location = torch.stack([item.location for item in fitted]).mean()
        final.scale = torch.stack([item.scale for item in fitted]).mean()
    ood_score = ood.OutOfDistributionScore(
        thumbnail,
        thumbnail_model,
        layout,
        layout_model,
        _fit_mistaken(layouts, mistaken_layouts),
        thresholds,
    ).eval()
    refused = (distances > thresholds[0]) | (logits > thresholds[1])
    clean, mild = refused.reshape(2, -1).double().mean(1).tolist()
    by_mistake = (mistaken_logits > thresholds[1]).reshape(len(mistakes), -1).double().mean(1)
    return ood_score, {
        "thresholds": thresholds,
        "xrays_refused_clean": clean,
        "xrays_refused_mildly_changed": mild,
        "mistakes_refused": dict(zip(misuse.REFUSED, by_mistake.tolist(), strict=True)),
        **_measure_negatives(ood_score, net, rng),
    }


def _mirror_some(picture: GreyArray, rng: Rng) -> GreyArray:
    return misuse.mirror(picture, rng) if rng.random() < 0.5 else picture


def _fit_mistaken(right: Tensor, wrong: Tensor) -> ood.Mistaken:
    values = torch.cat([right, wrong]).double()
    centre, spread = values.mean(0), values.std(0) + 1e-3
    label = np.repeat([0, 1], [len(right), len(wrong)])
    fitted = LogisticRegression(C=_STRENGTH, max_iter=500).fit(
        ((values - centre) / spread).numpy(), label
    )
    weight = torch.from_numpy(fitted.coef_[0]) / spread
    bias = float(fitted.intercept_[0]) - float(centre @ weight)
    return ood.Mistaken(weight.float(), torch.tensor(bias))


@torch.no_grad()
def _measure_negatives(
    ood_score: ood.OutOfDistributionScore, net: ChestNet, rng: Rng
) -> dict[str, Any]:
    squares, colours, names = _make_negatives(rng)
    refused = np.concatenate(
        [(ood_score(x, net.see(x)) > 0).numpy() for x in iterate_batches(squares)]
    )
    # The app refuses a colourful picture before the network sees it.
    either = refused | (colours > COLOUR_LIMIT)
    kinds = np.array(names)
    public = np.char.find(kinds, "/") >= 0
    worst = sorted((float(either[kinds == kind].mean()), str(kind)) for kind in set(names))
    return {
        "others_refused": float(either.mean()),
        "others_refused_without_colour": float(refused.mean()),
        "rendered_refused": float(either[~public].mean()),
        "rendered_refused_without_colour": float(refused[~public].mean()),
        "public_pictures_refused": float(either[public].mean()),
        "public_pictures_refused_without_colour": float(refused[public].mean()),
        "others": len(names),
        "least_refused": {kind: share for share, kind in worst[:6]},
    }


def _make_negatives(rng: Rng) -> tuple[GreyArray, Float64Array, list[str]]:
    made = [(kind, make(rng)) for kind, make in negatives.RENDERED.items() for _ in range(30)]
    for name, picture in negatives.read_packaged():
        made += [(name, negatives.make_view(picture, rng) if k else picture) for k in range(6)]
    squares = np.stack([to_square(to_grey(image)) for _, image in made])
    colours = np.array([measure_colourfulness(image) for _, image in made])
    return squares, colours, [name for name, _ in made]


def measure_mistakes(artifact: Path, data: XRays, count: int = 200) -> dict[str, dict[str, float]]:
    """Return what an exported network does with X-rays that are sent by mistake as they are not.

    Args:
        artifact: the exported network.
        data: the pictures to choose from.
        count: how many are chosen.

    Returns:
        For each mistake the share that is refused, and the share that is refused or answered within
        0.1 of the upright picture's probability.
    """
    rng = np.random.default_rng(SEED)
    predictor = OnnxPicturePredictor(artifact)
    chosen = data.pictures[rng.choice(len(data), min(count, len(data)), replace=False)]
    upright = [predictor.predict(picture).probability for picture in chosen]
    found = {}
    for name, change in misuse.MISTAKES.items():
        outputs = [predictor.predict(change(picture, rng)) for picture in chosen]
        refused = np.array([output.ood_score > 0 for output in outputs])
        gap = np.abs(np.array([output.probability for output in outputs]) - upright)
        found[name] = {
            "refused": float(refused.mean()),
            "refused_or_close": float((refused | (gap <= _CLOSE)).mean()),
        }
    return found
