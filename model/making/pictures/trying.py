"""Finds how pictures become a network's input, and in which order its classes stand, by trying."""

import itertools
import shlex
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax

from model.contract.arrays import Float64Array, IntArray
from model.contract.formatting import capitalize, list_some
from model.contract.pictures import Picture
from model.contract.preprocessing import (
    Channels,
    Interpolation,
    Levels,
    LevelScale,
    Preprocessing,
    Resize,
)
from model.making.errors import AddError, NotProvedError
from model.making.kinds.class_evidence import match_classes
from model.making.options import PictureOptions, Progress
from model.making.pictures.kept_rows import find_shown_ways, leave_out_others
from model.making.pictures.labelled import LabelledPictures, advise_on_numbers
from model.making.pictures.networks import AnswerMeaning, InputShape, PictureNetwork

MOST = 200
"""Pictures on which the best combinations are compared."""

_SCREENED = 60
"""Pictures on which all are tried first, two of each class at least."""

_BEST = 4
"""Combinations of colours and numbers that are tried with each way to resize."""

_SECONDS = 100.0
"""How long it may take; slow networks are tried on fewer pictures."""

_LEAST_PICTURES = 10
_LEAST_GAIN = 3.0
"""Nats over all pictures that the best combination must gain on the next: a likelihood ratio of 20.
It must be a standard error above nothing, too."""

_LEAST_CUT = 0.15
"""Nats a picture that a cut must gain on what shows the whole: it shows things larger, by which
many a network knows them better than as it was trained."""

_SAME_SHARE = 0.99
"""Share of the pictures with the same answer from which two combinations count as one, if their
probabilities are as near."""

_SAME_GAP = 0.02
_GIVEN_ORDER = "in the order of classes that --classes gives, or the model's own file"
_LEAST_PROBABILITY = 1e-3
_TEMPERATURES = (0.25, 0.5, 1.0, 2.0, 4.0)

_FLOAT_SCALES: tuple[LevelScale, ...] = (
    "unit", "signed", "imagenet", "normalized", "inverted", "picture", "bytes", "caffe",
)  # fmt: skip
_COLOURS: tuple[Channels, ...] = ("RGB", "BGR")
_RESIZES: tuple[Resize, ...] = ("squash", "crop", "letterbox")
_INTERPOLATIONS: tuple[Interpolation, ...] = ("bicubic", "bilinear", "nearest")
"""In each of these the more usual one comes first: it is taken where both give the same answers.
Larger numbers come last, since a network that takes small ones often names the same classes for
them, only with more certainty."""

_MNIST = ((0.1307,), (0.3081,))
"""Mean and spread of MNIST, which many networks for other pictures in grey take, too."""

_DIGITS = ((0.0,), (0.0625,))
"""0 to 16, as the digits that come with scikit-learn."""

_MOST_LOST = 1.0
"""Nats over all pictures that the more usual of two combinations with the same answers may lose."""

_T = TypeVar("_T")


@dataclass(frozen=True, eq=False)
class Trial:
    """What a combination gave: answers [pictures, C] and, under the order found, losses [pictures].

    ``order`` has the index of the class of the folder for each answer of the network; ``right`` is
    the share of right answers under it.
    """

    preprocessing: Preprocessing
    probabilities: Float64Array
    order: tuple[int, ...]
    losses: Float64Array
    right: float

    @property
    def loss(self) -> float:
        """The mean loss, in nats."""
        return float(self.losses.mean())


@dataclass(frozen=True, eq=False)
class Found:
    """What was found: ``order`` as in ``Trial``; ``notes`` say how, for people."""

    preprocessing: Preprocessing
    meaning: AnswerMeaning
    order: tuple[int, ...]
    accuracy: float
    pictures: int
    text: str
    notes: tuple[str, ...]


def to_probabilities(answers: Float64Array, meaning: AnswerMeaning) -> Float64Array:
    """Make probabilities [N, classes] of a network's answers [N, C]."""
    if meaning == "sigmoid logits":
        answers = expit(answers)
    if meaning.startswith("sigmoid"):
        return np.column_stack([1 - answers[:, 0], answers[:, 0]])
    if meaning == "logits":
        return np.asarray(softmax(answers, axis=1))
    if meaning == "shares":
        return np.asarray((answers + 1e-9) / (answers + 1e-9).sum(axis=1, keepdims=True))
    return answers


def find_preprocessing(
    network: PictureNetwork,
    data: LabelledPictures,
    options: PictureOptions,
    classes: Sequence[str],
    progress: Progress,
    as_is: bool = False,
) -> Found:
    """Find preprocessing and order of classes on the pictures of the data.

    Args:
        network: the network.
        data: pictures with their classes.
        options: what the person says of the input.
        classes: the names of the network's classes in its order, none where they are to be found.
        progress: called with a line now and then.
        as_is: whether answers that look wrong are taken all the same.

    Raises:
        NotProvedError: if two combinations are as good, or none is good.
        AddError: if the network does not answer these classes.
    """
    notes: list[str] = []
    candidates = list(_list_candidates(network, data, options, notes))
    screened = _read(data, max(_SCREENED, 2 * len(data.classes)), candidates)
    if len({data.labels[place] for place, _ in screened}) < 2:
        raise AddError(
            "Too few pictures can be read to try the network on. "
            f"{data.describe_broken() or 'Add pictures of each class.'}"
        )
    meaning, seconds = _probe(network, candidates, screened[0], data)
    fixed = _fix_order(classes, data.classes)

    def try_all(
        tried: Sequence[Preprocessing], pictures: Sequence[tuple[int, Picture]], what: str
    ) -> list[Trial]:
        truth = np.array([data.labels[place] for place, _ in pictures])
        made = []
        for number, each in enumerate(tried, start=1):
            progress(f"{what} {number} of {len(tried)} on {len(pictures)} pictures")
            answers = np.stack(
                [network.answer(each.to_input(each.fit(picture.image))) for _, picture in pictures]
            )
            made.append(_judge(each, to_probabilities(answers, meaning), truth, fixed))
        return sorted(made, key=lambda trial: trial.loss)

    first = [each for each in candidates if each.resize == candidates[0].resize]
    sizes = {(each.width, each.height) for each in candidates}
    is_resized = any(picture.image.size not in sizes for _, picture in screened)
    interpolations = [candidates[0].interpolation]
    if is_resized and options.interpolation is None:
        interpolations = list(_INTERPOLATIONS)
    shown = [picture for _, picture in screened]
    every = [_replace(each, interpolation=way) for each in candidates for way in interpolations]
    finals, seen = find_shown_ways(network.kept, every, shown)
    tried: list[Trial] = []
    if not finals:
        first = first if as_is else leave_out_others(network.kept, first, shown)
        asked = len(first) + 2 * _BEST * len(interpolations[1:])
        screen = screened[: max(_LEAST_PICTURES, int(_SECONDS / 3 / seconds / asked))]
        tried = try_all(first, screen, "trying inputs")
        best = _choose_best(tried)
        if fixed:
            free = _judge_freely(tried, np.array([data.labels[place] for place, _ in screen]))
            best = list(dict.fromkeys([*best, *_choose_best(free)[:_BEST]]))
        for interpolation in interpolations[1:]:
            others = [_replace(each, interpolation=interpolation) for each in best]
            tried += try_all(others, screen, "trying ways to shrink")
        best = [_choose_interpolation(each, tried) for each in best]
        resizes = list(dict.fromkeys(each.resize for each in candidates))
        finals = [_replace(each, resize=resize) for resize in resizes for each in best]
        finals = _drop_equal_inputs(finals, screened, resizes)
    # A name alone tells less of two ways than a probability; scikit-learn answers fast.
    most = MOST if network.kept is None else 5 * MOST
    count = min(most, max(_LEAST_PICTURES, int(_SECONDS * 2 / 3 / seconds / len(finals))))
    pictures = _read(data, count, candidates)
    trials = try_all(finals, pictures, "comparing inputs")
    truth = np.array([data.labels[place] for place, _ in pictures])
    if not as_is:
        if fixed:
            _check_order(trials, truth, data.classes)
        _check_sense(max(trials, key=lambda trial: trial.right), truth, bool(classes))
        if network.kept is not None and tried:
            inputs = [
                trials[0].preprocessing.to_input(each)
                for each in (trials[0].preprocessing.fit(picture.image) for _, picture in pictures)
            ]
            _check_scaler(network, np.concatenate(inputs), trials[0], meaning, truth, fixed)
    errors = 2.0 if meaning == "names" else 1.0
    taken, text = _take_best(trials, candidates, errors, as_is)
    text = seen if not tried else f"{text}{seen}"
    accuracy = taken.right
    if not classes:
        notes += _describe_order(taken, truth, data.classes)
    ways = len({trial.preprocessing for trial in (*tried, *trials)} | set(() if tried else every))
    if ways > 1:
        notes.insert(
            0,
            f"{ways} ways to prepare a picture were tried on up to {len(pictures)} "
            f"pictures; taken: {taken.preprocessing.describe()}.{text}",
        )
    return Found(
        taken.preprocessing, meaning, taken.order, accuracy, len(pictures), text, tuple(notes)
    )


def _choose_best(trials: Sequence[Trial]) -> list[Preprocessing]:
    """Choose what is tried further: the best, and those that are not clearly worse."""
    near = [
        trial
        for number, trial in enumerate(trials)
        if number < _BEST or _is_near(trial.losses - trials[0].losses)
    ]
    return [trial.preprocessing for trial in near[: 2 * _BEST]]


def _choose_interpolation(each: Preprocessing, tried: Sequence[Trial]) -> Preprocessing:
    """Choose how a combination shrinks pictures: as it does, unless another way is better."""
    same = [trial for trial in tried if _resample(trial.preprocessing, each) == each]
    best = min(same, key=lambda trial: trial.loss)
    lost = same[0].losses.sum() - best.losses.sum()
    return each if lost <= _MOST_LOST else best.preprocessing


def _resample(each: Preprocessing, other: Preprocessing) -> Preprocessing:
    """The same with the interpolation of another."""
    return _replace(each, interpolation=other.interpolation)


def _is_near(gaps: Float64Array) -> bool:
    error = float(gaps.std()) * np.sqrt(len(gaps))
    return bool(gaps.sum() < max(_LEAST_GAIN, 2 * error))


def _replace(each: Preprocessing, **other: Resize | Interpolation) -> Preprocessing:
    """The same with another way to resize, or to shrink."""
    return each.model_copy(update=other)


def _fix_order(classes: Sequence[str], names: Sequence[str]) -> tuple[int, ...] | None:
    """The order that a person gives; None where it is to be found."""
    if not classes:
        return None
    if sorted(classes) != sorted(names):
        raise AddError(
            f"--classes names {', '.join(classes)}, but the pictures have the classes "
            f"{', '.join(names)}. Name each of these once, in the order of the network."
        )
    return tuple(names.index(name) for name in classes)


def _list_candidates(
    network: PictureNetwork, data: LabelledPictures, options: PictureOptions, notes: list[str]
) -> Iterator[Preprocessing]:
    """All combinations that the input and the options allow, the usual ones first."""
    commonest: tuple[int, int] | None = None
    for shape in network.shapes:
        if options.size is not None:
            width, height = options.size
            _check_size(shape, width, height)
        elif shape.width is not None and shape.height is not None:
            width, height = shape.width, shape.height
        else:
            commonest = commonest or data.find_size()
            width, height = shape.width or commonest[0], shape.height or commonest[1]
            if max(width, height) > 1024:
                raise AddError(
                    f"The network's file does not say how large its pictures are, and most of "
                    f"yours have {width} × {height} pixels. Say it: --size 224x224"
                )
            notes.append(
                f"The network's file does not say how large its pictures are: {width} × {height} "
                "pixels, the commonest size, was taken. If that is wrong, give --size."
            )
        if max(width, height) > 2048:
            raise AddError(f"The network takes {width} × {height} pixels; 2048 are the most.")
        scales: tuple[LevelScale, ...] = ("bytes",) if network.type == "uint8" else _FLOAT_SCALES
        colours: tuple[Channels, ...] = _COLOURS if shape.channels == 3 else ("grey",)
        base = Preprocessing(
            width=width,
            height=height,
            layout=shape.layout,
            colour=colours[0],
            type=network.type,
            interpolation=options.interpolation or _INTERPOLATIONS[0],
        )
        for scale in _narrow(options.scale, scales):
            levels: list[Levels] = [((), ())]
            if scale == "normalized":
                given = options.levels
                levels = [_fit_levels(given, shape)] if given else _list_levels(base, data)
            resizes = (options.resize,) if options.resize else _RESIZES
            for (mean, spread), colour, resize in itertools.product(
                levels, _narrow(options.channels, colours), resizes
            ):
                numbers = {"scale": scale, "mean": mean, "spread": spread}
                yield Preprocessing(
                    **base.model_dump() | numbers | {"colour": colour, "resize": resize}
                )


def _fit_levels(levels: Levels, shape: InputShape) -> Levels:
    """The levels that a person gives for each channel; those of one count for all of them."""
    mean, spread = levels
    if len(mean) == 1:
        return mean * shape.channels, spread * shape.channels
    if len(mean) != shape.channels:
        raise AddError(
            "--scale has means and spreads of three channels, and the network takes grey: give one "
            "mean and one spread, like 0.1307,0.3081."
        )
    return levels


def _list_levels(base: Preprocessing, data: LabelledPictures) -> list[Levels]:
    """List the means and spreads by which authors may have normalized: those of their pictures."""
    means, squares = [], []
    for _, picture in data.read(data.choose(MOST), base.read_side):
        levels = base.fit(picture.image).reshape(base.width * base.height, -1) / 255
        means.append(levels.mean(axis=0))
        squares.append((levels**2).mean(axis=0))
    if not means:
        return []
    mean = np.mean(means, axis=0)
    spread = np.sqrt(np.maximum(np.mean(squares, axis=0) - mean**2, 1e-6))
    own = tuple(mean.round(4).tolist()), tuple(spread.round(4).tolist())
    return [_MNIST, own, _DIGITS] if base.colour == "grey" else [own]


def _narrow(given: _T | None, values: tuple[_T, ...]) -> tuple[_T, ...]:
    return (given,) if given is not None and given in values else values


def _check_size(shape: InputShape, width: int, height: int) -> None:
    if shape.width not in (None, width) or shape.height not in (None, height):
        raise AddError(
            f"--size {width}x{height}: the network takes {shape.width} × {shape.height} pixels."
        )


def _read(
    data: LabelledPictures, count: int, candidates: Sequence[Preprocessing]
) -> list[tuple[int, Picture]]:
    side = max(each.read_side for each in candidates)
    chosen = data.choose(count)
    order = np.random.default_rng(1).permutation(len(chosen))
    return list(data.read([chosen[place] for place in order], side))


def _probe(
    network: PictureNetwork,
    candidates: Sequence[Preprocessing],
    first: tuple[int, Picture],
    data: LabelledPictures,
) -> tuple[AnswerMeaning, float]:
    """What the answers are, and how many seconds one takes."""
    answers = []
    started = time.perf_counter()
    for each in candidates[:8]:
        answers.append(network.answer(each.to_input(each.fit(first[1].image))))
    seconds = (time.perf_counter() - started) / len(answers)
    stacked = np.stack(answers)
    count, names = stacked.shape[1], data.classes
    if count == 1 and len(names) != 2:
        raise AddError(
            f"The network answers one number, which can tell two classes, and the pictures have "
            f"{len(names)}: {list_some(names, 10)}.{advise_on_numbers(names)}"
        )
    if count not in (1, len(names)):
        raise AddError(
            f"The network answers {count} classes, and the pictures have {len(names)}: "
            f"{list_some(names, 10)}. Give pictures of each of its classes, in a folder for each."
        )
    return network.find_meaning(stacked), max(seconds, 1e-4)


def _drop_equal_inputs(
    finals: Sequence[Preprocessing],
    pictures: Sequence[tuple[int, Picture]],
    resizes: Sequence[Resize],
) -> list[Preprocessing]:
    """Leave out the ways to resize that give the very same pixels as one before."""
    kept: list[Resize] = []
    seen: dict[bytes, Resize] = {}
    for resize in resizes:
        each = _replace(finals[0], resize=resize)
        pixels = b"".join(each.fit(picture.image).tobytes() for _, picture in pictures)
        if pixels not in seen:
            seen[pixels] = resize
            kept.append(resize)
    return [each for each in finals if each.resize in kept]


def _judge(
    preprocessing: Preprocessing,
    probabilities: Float64Array,
    truth: IntArray,
    fixed: tuple[int, ...] | None,
) -> Trial:
    if not np.isfinite(probabilities).all():
        return Trial(
            preprocessing,
            np.zeros_like(probabilities),
            tuple(range(probabilities.shape[1])),
            np.full(len(truth), 1e3),
            0.0,
        )
    order = fixed or match_classes(probabilities, truth.astype(float))
    own = probabilities[:, np.argsort(order)][np.arange(len(truth)), truth]
    best = None
    for temperature in _TEMPERATURES:
        powers = np.maximum(probabilities, 1e-12) ** (1 / temperature)
        shares = np.maximum(own, 1e-12) ** (1 / temperature) / powers.sum(axis=1)
        losses = -np.log(np.maximum(shares, _LEAST_PROBABILITY))
        if best is None or losses.mean() < best.mean():
            best = losses
    right = float(np.mean(np.asarray(order)[probabilities.argmax(axis=1)] == truth))
    return Trial(preprocessing, probabilities, order, np.asarray(best), right)


def _are_alike(one: Trial, other: Trial) -> bool:
    """Whether two combinations give the same answers to nearly all pictures."""
    same = np.mean(one.probabilities.argmax(axis=1) == other.probabilities.argmax(axis=1))
    gap = np.abs(one.probabilities - other.probabilities).mean()
    return one.order == other.order and bool(same >= _SAME_SHARE and gap <= _SAME_GAP)


def _take_best(
    trials: Sequence[Trial], candidates: Sequence[Preprocessing], errors: float, as_is: bool
) -> tuple[Trial, str]:
    """Take the best combination, the more usual one of those that give the same answers.

    ``errors`` is how many standard errors it must gain on the next; a name alone tells less.

    Raises:
        NotProvedError: if the next one with other answers is about as good.
    """
    best = trials[0]
    alike = [trial for trial in trials if _are_alike(best, trial)]
    near = [trial for trial in alike if (trial.losses - best.losses).sum() <= _MOST_LOST]
    usual = candidates[0]
    taken = min(near, key=lambda trial: candidates.index(_resample(trial.preprocessing, usual)))
    others = [trial for trial in trials if trial not in alike]
    if not others:
        return taken, ""
    gaps = others[0].losses - best.losses
    error = float(gaps.std()) * np.sqrt(len(gaps))
    clear = gaps.sum() >= max(_LEAST_GAIN, errors * error)
    text = (
        f" The next best ({_name_difference(others[0].preprocessing, best.preprocessing)}) is "
        f"{others[0].right:.0%} right, this one {best.right:.0%}."
    )
    whole = [each for each in others if each.preprocessing.resize != "crop"]
    is_cut = taken.preprocessing.resize == "crop"
    if clear and is_cut and whole and whole[0].loss - best.loss < _LEAST_CUT:
        clear, others = False, whole
    if clear or as_is:
        return taken, text
    raise NotProvedError(
        "Two ways to prepare a picture fit about as well, and give other answers: "
        f"{taken.preprocessing.describe()} ({taken.right:.0%} right), and "
        f"{others[0].preprocessing.describe()} ({others[0].right:.0%} right). Say which one the "
        f"network was trained with: {_name_options(taken, others[0])}, or "
        f"{_name_options(others[0], taken)}. More pictures may decide it, too."
    )


_OPTIONS = {"scale": "--scale", "colour": "--channels", "resize": "--resize"}


def _write_option(each: Preprocessing, name: str) -> str:
    """The value of an option as a person writes it."""
    if name == "scale" and each.scale == "normalized":
        return ",".join(map(str, (*each.mean, *each.spread)))
    return str(getattr(each, name))


def _name_options(trial: Trial, other: Trial) -> str:
    own, theirs = trial.preprocessing, other.preprocessing
    return " ".join(
        f"{option} {_write_option(own, name)}"
        for name, option in _OPTIONS.items()
        if _write_option(own, name) != _write_option(theirs, name)
    )


def _name_difference(own: Preprocessing, other: Preprocessing) -> str:
    parts = [
        own.describe_scale() if name == "scale" else str(getattr(own, name))
        for name in (*_OPTIONS, "layout")
        if _write_option(own, name) != _write_option(other, name)
    ]
    return ", ".join(parts) or "another order of the classes"


def _check_sense(trial: Trial, truth: IntArray, given: bool) -> None:
    """Check that the answers have something to do with the classes.

    Raises:
        NotProvedError: if no order of the classes makes sense.
    """
    most = float(np.bincount(truth).max()) / len(truth)
    needed = most + max(0.1, 3 * np.sqrt(most * (1 - most) / len(truth)))
    if trial.right < min(needed, 0.95):
        how = _GIVEN_ORDER if given else "in whatever order its classes stand"
        raise NotProvedError(
            f"{capitalize(how)}, at most {trial.right:.0%} of {len(truth)} pictures get "
            f"their class, and always naming one class would be right for {most:.0%}. So either "
            "these are other classes than the network's, or its input is prepared in a way that "
            "is not known here. With --as-is it is added all the same."
        )


def _check_scaler(
    network: PictureNetwork,
    inputs: NDArray[Any],
    best: Trial,
    meaning: AnswerMeaning,
    truth: IntArray,
    fixed: tuple[int, ...] | None,
) -> None:
    """Check that pictures, shape [N, …], are not better known behind a scaler of each pixel.

    Raises:
        NotProvedError: if they are: it was fitted behind one.
    """
    low, spread = inputs.min(axis=0), np.ptp(inputs, axis=0)
    mean, deviation = inputs.mean(axis=0), inputs.std(axis=0)
    for name, start, size in (
        ("StandardScaler", mean, deviation),
        ("MinMaxScaler", low, spread),
    ):
        scaled = (inputs - start) / np.where(size > 0, size, 1)
        answers = np.stack([network.answer(each[None].astype(np.float32)) for each in scaled])
        trial = _judge(best.preprocessing, to_probabilities(answers, meaning), truth, fixed)
        if trial.right > best.right and not _is_near(best.losses - trial.losses):
            raise NotProvedError(
                f"It answers as if a {name} had stood before it: behind one {trial.right:.0%} of "
                f"{len(truth)} pictures get their class, and {best.right:.0%} without. Add the "
                "file of that scaler after the model's: model.pkl scaler.pkl, where your code "
                "saves it by joblib.dump(scaler, 'scaler.pkl'). With --as-is it is added all the "
                "same."
            )


def _judge_freely(trials: Sequence[Trial], truth: IntArray) -> list[Trial]:
    """Judge the same answers under the order of the classes that fits each best."""
    free = [_judge(each.preprocessing, each.probabilities, truth, None) for each in trials]
    return sorted(free, key=lambda trial: trial.loss)


def _check_order(trials: Sequence[Trial], truth: IntArray, names: Sequence[str]) -> None:
    """Check that the order that is given is not clearly worse than another one.

    Raises:
        NotProvedError: if it is.
    """
    given = max(trial.right for trial in trials)
    free = max(_judge_freely(trials, truth), key=lambda trial: trial.right)
    if free.right > given + max(0.1, 3 * np.sqrt(given * (1 - given) / len(truth))):
        order = ",".join(names[place] for place in free.order)
        raise NotProvedError(
            f"{capitalize(_GIVEN_ORDER)}, at most {given:.0%} of {len(truth)} pictures get their "
            f"class, and in another one {free.right:.0%}. Leave --classes out where you gave it, "
            f"or write --classes {shlex.quote(order)}. With --as-is the network is added all the "
            "same."
        )


def _describe_order(trial: Trial, truth: IntArray, names: Sequence[str]) -> list[str]:
    """Say in which order the classes stand, where that is not the alphabet's."""
    order = [names[place] for place in trial.order]
    if order == list(names):
        return []
    by_alphabet = float(np.mean(trial.probabilities.argmax(axis=1) == truth))
    listed = ", ".join(order[:10]) + (" …" if len(order) > 10 else "")
    return [
        f"The network's classes do not stand in the order of the alphabet: {listed}. So "
        f"{trial.right:.0%} of {len(truth)} pictures get their class; in alphabetical order it "
        f"would be {by_alphabet:.0%}. If that is wrong: --classes {shlex.quote(','.join(names))}"
    ]
