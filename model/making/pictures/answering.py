"""Answers of a network to pictures, through the form in which it is served."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.contract.arrays import ByteArray, Float64Array, IntArray
from model.contract.preprocessing import Preprocessing
from model.making.errors import AddError
from model.making.options import Progress
from model.making.pictures.labelled import LabelledPictures
from model.making.pictures.networks import AnswerMeaning
from model.making.pictures.trying import MOST, to_probabilities
from model.serving.kinds.pictures import OnnxPicturePredictor
from model.serving.picture_statistics import describe_thumbnail
from model.serving.predictors import open_session
from model.serving.probabilities import settle_ties

COMPARED = 20
"""So many pictures are answered by the network and by its served form."""

_TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False)
class Answered:
    """Pictures as the network answered them, in its order of classes.

    ``truth`` has the shape (pictures,), ``probabilities`` (pictures, classes); ``thumbnails`` and
    ``embeddings`` are as in ``PictureStatistics.score``. ``means`` are what the network sees on
    average, for all and for each class, uint8 [height, width] or with 3 channels.
    """

    places: tuple[int, ...]
    truth: IntArray
    probabilities: Float64Array
    thumbnails: Float64Array
    embeddings: Float64Array | None
    means: tuple[ByteArray, ...]

    @property
    def right(self) -> float:
        """The share of right answers."""
        return float(np.mean(self.probabilities.argmax(axis=1) == self.truth))


def answer_all(
    served: bytes,
    preprocessing: Preprocessing,
    data: LabelledPictures,
    most: int,
    order: Sequence[int],
    report: Progress,
) -> Answered:
    """Answer pictures; those that cannot be read are noted in ``data``.

    Args:
        served: the network as ONNX.
        preprocessing: how it takes pictures.
        data: the pictures.
        most: how many are answered at most.
        order: the places of the network's classes among those of the data, in its order.
        report: called now and then with how far it is.

    Raises:
        AddError: if no picture can be read.
    """
    session = open_session(served)
    names = [item.name for item in session.get_outputs() if item.name != "map"]
    (given,) = (item.name for item in session.get_inputs())
    chosen = data.choose(most)
    side = preprocessing.read_side
    places, probabilities, thumbnails, embeddings = [], [], [], []
    sums: dict[int, Float64Array] = {}
    counts: dict[int, int] = {}
    for place, picture in data.read(chosen, side):
        seen = preprocessing.fit(picture.image)
        found = dict(
            zip(names, session.run(names, {given: preprocessing.to_input(seen)}), strict=True)
        )
        places.append(place)
        probabilities.append(found["probabilities"][0].astype(float))
        thumbnails.append(describe_thumbnail(seen))
        if "embedding" in found:
            embeddings.append(found["embedding"][0].astype(float))
        label = data.labels[place]
        sums[label] = sums.get(label, np.zeros(seen.shape)) + seen
        counts[label] = counts.get(label, 0) + 1
        if len(places) % 50 == 0:
            report(f"answered {len(places):,} of {len(chosen):,} pictures")
    if not places:
        raise AddError(f"No picture in {data.root} can be read. {data.describe_broken()}")
    total = np.sum([sums[code] for code in sums], axis=0) / len(places)
    means = [total, *(sums[code] / counts[code] for code in sorted(sums))]
    truth = np.array([list(order).index(data.labels[place]) for place in places])
    return Answered(
        tuple(places),
        truth,
        settle_ties(np.array(probabilities)),
        np.array(thumbnails),
        np.array(embeddings) if embeddings else None,
        tuple(mean.round().astype(np.uint8) for mean in means),
    )


def prepare_pictures(preprocessing: Preprocessing, data: LabelledPictures) -> NDArray[Any]:
    """Prepare some of the pictures as a network takes them, shape (pictures, …)."""
    read = data.read(data.choose(MOST), preprocessing.read_side)
    seen = [preprocessing.to_input(preprocessing.fit(picture.image)) for _, picture in read]
    return np.concatenate(seen)


def compare_served(
    served: bytes,
    answer: Callable[..., Float64Array],
    meaning: AnswerMeaning,
    preprocessing: Preprocessing,
    data: LabelledPictures,
) -> None:
    """Compare the served form with the network as it was given.

    Args:
        served: the served form, as ONNX.
        answer: the network itself: takes a picture as it wants it, and returns shape (classes,).
        meaning: what the network's numbers mean.
        preprocessing: how it takes pictures.
        data: the pictures.

    Raises:
        AddError: if a picture gets another answer.
    """
    predictor = OnnxPicturePredictor(served, preprocessing)
    side = preprocessing.read_side
    for _, picture in data.read(data.choose(COMPARED), side):
        seen = preprocessing.fit(picture.image)
        raw = answer(preprocessing.to_input(seen))[None]
        expected = to_probabilities(raw, meaning)[0]
        if not np.allclose(predictor.predict(seen).probabilities, expected, atol=_TOLERANCE):
            raise AddError(
                "The served form answers otherwise than the network that you gave: this form of "
                "ONNX is not supported well enough to serve it."
            )
