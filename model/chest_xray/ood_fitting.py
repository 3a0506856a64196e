"""Fit the score that refuses what is no chest X-ray, and measure what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from model.chest_xray import negatives
from model.chest_xray import out_of_distribution as ood
from model.chest_xray.arrays import GreyArray, Rng
from model.chest_xray.data import XRays
from model.chest_xray.manifest import COLOUR_LIMIT, SEED
from model.chest_xray.network import ChestNet
from model.contract.arrays import Float64Array, IntArray
from model.contract.pictures import measure_colourfulness, to_grey, to_square


def fit_ood_score(
    data: XRays, fold: IntArray, nets: list[ChestNet], limit: float
) -> tuple[ood.OutOfDistributionScore, dict[str, Any]]:
    """Fit the out-of-distribution score of all networks, and measure what it refuses.

    Args:
        data: all pictures.
        fold: the fold of each picture, [N]; network i was not trained on fold i.
        nets: one network for each fold.
        limit: share of held-out X-rays, clean and mildly changed, that may be refused.

    Returns:
        The score with its threshold, and the shares of X-rays and other pictures that it refuses.
    """
    rng = np.random.default_rng(SEED)
    # Half of the pictures, clean and mildly changed, suffice for the covariance of 192 features.
    originals = data.pictures[::2]
    changed = np.stack([ood.change_mildly(picture, rng) for picture in originals])
    pictures = np.concatenate([originals, changed])
    picture_fold = torch.from_numpy(np.tile(fold[::2], 2))
    flat, rest = ood.measure_thumbnails(pictures)
    feature_models: list[ood.Gaussian] = []
    thumbnail_models: list[ood.Gaussian] = []
    scores = torch.zeros(len(pictures))
    for index, net in enumerate(nets):
        # Held-out patients set the scale of the distances: the features of pictures that a network
        # was trained on lie closer together.
        fitted_on, held_out = picture_fold != index, picture_fold == index
        thumbnail, thumbnail_model = ood.fit_thumbnail(flat[fitted_on], rest[fitted_on])
        described = thumbnail.describe(flat[held_out], rest[held_out])
        thumbnail_model.standardise(described)
        values = ood.compute_features(net, pictures)
        gaussian = ood.Gaussian(values[fitted_on])
        gaussian.standardise(values[held_out])
        scores[held_out] = thumbnail_model(described) + gaussian(values[held_out])
        feature_models.append(gaussian)
        thumbnail_models.append(thumbnail_model)
        print(f"out-of-distribution score: network {index + 1} of {len(nets)} done", flush=True)
    threshold = float(torch.quantile(scores, 1 - limit))
    # One thumbnail model, fitted to all pictures, serves all networks, on the mean scale.
    thumbnail, thumbnail_model = ood.fit_thumbnail(flat, rest)
    thumbnail_model.location = torch.stack([fitted.location for fitted in thumbnail_models]).mean()
    thumbnail_model.scale = torch.stack([fitted.scale for fitted in thumbnail_models]).mean()
    ood_score = ood.OutOfDistributionScore(thumbnail, thumbnail_model, feature_models)
    ood_score.threshold = threshold
    clean_refused, changed_refused = scores.numpy().reshape(2, -1) > threshold
    squares, colours, names = _make_negatives(rng)
    refused = ood.score_pictures(ood_score, nets, squares) > 0
    # The app refuses a colourful picture before the network sees it.
    either = refused | (colours > COLOUR_LIMIT)
    kinds = np.array(names)
    public = np.char.find(kinds, "/") >= 0
    worst = sorted((float(either[kinds == kind].mean()), str(kind)) for kind in set(names))
    return ood_score.eval(), {
        "threshold": threshold,
        "xrays_refused_clean": float(clean_refused.mean()),
        "xrays_refused_mildly_changed": float(changed_refused.mean()),
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
