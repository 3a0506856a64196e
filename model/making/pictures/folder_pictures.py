"""The pictures in a model's folder: golden ones, and samples that visitors can try."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from model.contract.arrays import ByteArray
from model.contract.image_card import GoldenPicture, SamplePicture
from model.contract.preprocessing import Preprocessing
from model.making.options import AddOptions
from model.making.pictures.answering import Answered
from model.making.pictures.labelled import LabelledPictures
from model.serving.kinds.pictures import OnnxPicturePredictor
from model.serving.picture_statistics import PictureStatistics

_SAMPLE_SIDE = 480


def write_golden_pictures(
    work: Path,
    served: bytes,
    preprocessing: Preprocessing,
    statistics: PictureStatistics | None,
    means: Sequence[ByteArray],
) -> tuple[GoldenPicture, ...]:
    """Write pictures whose answers are compared at each start: means, so that they show nobody.

    Args:
        work: the model's folder.
        served: the network as ONNX.
        preprocessing: how it takes pictures.
        statistics: what is unlike all that it knows; None where nobody knows.
        means: what the network sees on average, uint8 [height, width] or with 3 channels.
    """
    predictor = OnnxPicturePredictor(served, preprocessing, statistics)
    made = []
    for number in range(3):
        seen = means[number % len(means)]
        name = f"golden-{number + 1}.png"
        Image.fromarray(seen).save(work / name, optimize=True)
        output = predictor.predict(seen)
        made.append(
            GoldenPicture(
                picture=name,
                probability=round(min(max(output.probability, 0.0), 1.0), 5),
                probabilities=tuple(round(share, 5) for share in output.probabilities.tolist()),
                ood_score=round(output.ood_score, 3),
            )
        )
    return tuple(made)


def write_sample_pictures(
    work: Path,
    options: AddOptions,
    source: LabelledPictures,
    answered: Answered,
    labels: Sequence[str],
    preprocessing: Preprocessing,
    statistics: PictureStatistics | None,
    notes: list[str],
) -> tuple[SamplePicture, ...]:
    """Write pictures that visitors can try: of each class in turn, drawn by lot, right or wrong."""
    if not options.publish_rows or not options.pictures.samples:
        notes.append(
            "Visitors see no picture of the data. With --publish-rows they see up to six samples."
        )
        return ()
    refused = np.zeros(len(answered.places), dtype=bool)
    if statistics is not None:
        refused = statistics.score(answered.thumbnails, answered.embeddings) > 0
    order = np.random.default_rng(0).permutation(np.flatnonzero(~refused))
    codes = pd.Series(answered.truth[order])
    turns = codes.groupby(codes).cumcount()
    ranked = order[np.lexsort((codes, turns))][: options.pictures.samples]
    (work / "samples").mkdir()
    made: list[SamplePicture] = []
    chosen = {answered.places[row]: int(answered.truth[row]) for row in ranked.tolist()}
    for place, picture in source.read(list(chosen), _SAMPLE_SIDE):
        image = picture.image.copy()
        image.thumbnail((_SAMPLE_SIDE, _SAMPLE_SIDE))
        small = max(image.size) < 2 * max(preprocessing.width, preprocessing.height)
        # Small pictures are kept as they are: every pixel counts for the answer.
        name = f"samples/{len(made) + 1}.{'png' if small and max(image.size) < 100 else 'jpg'}"
        image.save(work / name, quality=90)
        made.append(SamplePicture(file=name, label=labels[chosen[place]][:100]))
    where = options.holdout or source.root.name
    notes.append(f"Visitors see {len(made)} pictures of {where} as samples.")
    return tuple(made)
