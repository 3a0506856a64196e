"""Makes the folder of a network for pictures: find its input, measure, draft, write."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from PIL import Image

from model.contract import formatting
from model.contract.arrays import ByteArray, Float64Array, IntArray
from model.contract.errors import ModelError
from model.contract.image_card import GoldenPicture, ImageManifest, SamplePicture
from model.contract.manifest import (
    Metric,
    ProbabilityCalibration,
    ReliabilityBin,
    TrainingData,
)
from model.contract.pictures import FORMATS_TEXT, ImageField
from model.contract.preprocessing import Preprocessing
from model.making.errors import AddError
from model.making.kinds.classification_metrics import measure_classifier
from model.making.kinds.output_kind import make_share
from model.making.manifests import describe_artifact, read_versions, save_manifest
from model.making.naming import Naming, RowNaming, ask_for_class, format_choice
from model.making.options import LOCALE, AddOptions
from model.making.pictures.labelled import LabelledPictures, find_parts, read_labelled
from model.making.pictures.networks import describe_meaning
from model.making.pictures.opening import open_file
from model.making.pictures.statistics import MOST_FALSE_ALARMS, fit_statistics
from model.making.pictures.trying import find_preprocessing, to_probabilities
from model.making.summary import AddedModel
from model.making.toml import format_lines
from model.serving.kinds.pictures import OnnxPicturePredictor
from model.serving.loading import read_card
from model.serving.picture_statistics import PictureStatistics, describe_thumbnail
from model.serving.predictors import open_session

PICTURE_STAGES = (
    "opening the network",
    "listing the pictures",
    "finding how pictures are prepared",
    "answering the pictures",
    "measuring on held-out pictures",
    "writing and checking",
)
"""The steps in their order."""

_MOST_PICTURES = 2000
_MOST_HELD_OUT = 5000
_COMPARED = 20
_TOLERANCE = 1e-3
_SAMPLE_SIDE = 480
_LIBRARIES = ("numpy", "onnx", "onnxruntime", "Pillow", "h5py")
_MOST_RECALLS = 10
_LONGEST_TITLE = 60


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


def make_picture_folder(
    options: AddOptions, folder: Path, work: Path, report: Callable[[str], object]
) -> AddedModel:
    """Make the model's files in ``work``; messages name ``folder``, where they go afterwards.

    Raises:
        NotProvedError: if the pictures do not prove how the network is to be asked.
        AddError: if it cannot be added, and what to do.
    """
    stage = iter(PICTURE_STAGES)
    notes: list[str] = []
    report(next(stage))
    opened = open_file(options)
    network = opened.network

    report(next(stage))
    data, held_out = _list_pictures(options, notes)

    report(next(stage))
    found = find_preprocessing(
        network, data, options.pictures, options.classes, report, options.as_is
    )
    notes += found.notes
    served = network.build_served(found.meaning)
    classes = tuple(data.classes[place] for place in found.order)

    report(next(stage))
    answered = _answer_all(served, found.preprocessing, data, _MOST_PICTURES, found.order, report)
    _compare(served, network.answer, found.meaning, found.preprocessing, data)
    if len(data) > len(answered.places) + len(data.broken):
        notes.append(f"{len(answered.places):,} of the {len(data):,} pictures were used.")

    report(next(stage))
    others = None
    if held_out is not None:
        others = _answer_all(
            served, found.preprocessing, held_out, _MOST_HELD_OUT, found.order, report
        )
    described = None if others is None else (others.thumbnails, others.embeddings)
    fitted = fit_statistics(answered.thumbnails, answered.embeddings, described)
    broken = [data.describe_broken(), held_out.describe_broken() if held_out else ""]
    notes += [text for text in broken if text]
    naming = Naming("answer", "What the picture shows", "answer", "")
    labels = [format_choice(name) for name in classes]
    count = formatting.format_number(len(data) - len(data.broken), LOCALE)
    data_text = f"{count} pictures of {len(classes)} classes"
    metrics: tuple[Metric, ...] = ()
    calibration: ProbabilityCalibration | None = None
    reliability: tuple[ReliabilityBin, ...] = ()
    seen_right = formatting.format_percent(answered.right, LOCALE, digits=1)
    if others is None:
        how = "Nothing was measured: no pictures were held out from the network."
        shown = formatting.format_number(len(answered.places), LOCALE)
        accuracy = (
            "How good it is on new pictures was not measured. It was right for "
            f"{seen_right} of {shown} pictures that it may have learned from."
        )
        notes.append(
            "Nothing was measured on new pictures and its probabilities are as the network gives "
            "them, because no held-out pictures were given: --holdout FOLDER."
        )
    else:
        shown = formatting.format_number(len(others.places), LOCALE)
        metrics, calibration, reliability = measure_classifier(
            others.probabilities, others.truth, True
        )
        metrics += _measure_recall(others, labels)
        right = formatting.format_percent(others.right, LOCALE, digits=1)
        accuracy = f"It was right for {right} of {shown} pictures that it had not seen."
        how = f"On {shown} pictures that the network had not seen."
        if reliability:
            how += (
                " The same pictures calibrated its probabilities; the figures after calibration "
                "are from tenfold cross-validation over them."
            )
    if fitted is None:
        notes.append("No picture is refused as unlike the others: there are too few pictures.")
    else:
        alarms = formatting.format_percent(fitted.false_alarms, LOCALE, digits=1)
        metrics += (
            make_share(
                "false_alarms", "Pictures of its kind that are refused", fitted.false_alarms
            ),
        )
        how += f" Of pictures like these it refuses {alarms} as unlike all that it knows."
        if fitted.false_alarms > MOST_FALSE_ALARMS:
            notes.append(
                f"It refuses {alarms} of the held-out pictures: they are unlike those in --data."
            )

    report(next(stage))
    (work / "model.onnx").write_bytes(served)
    files = ["model.onnx"]
    statistics = None
    if fitted is not None:
        fitted.statistics.save(work / "ood.npz")
        statistics = PictureStatistics.load(work / "ood.npz")  # in the precision that is served
        files.append("ood.npz")
    golden = _write_golden(work, served, found.preprocessing, statistics, answered.means)
    source = held_out if others is not None and held_out is not None else data
    samples = _write_samples(work, options, source, others or answered, labels, found.preprocessing,
                             fitted.statistics if fitted else None, notes)  # fmt: skip
    files += [item.picture for item in golden] + [item.file for item in samples]
    manifest = ImageManifest(
        trained=date.today(),
        seed=0,
        served="model.onnx",
        artifacts={name: describe_artifact(work / name) for name in files},
        versions=read_versions(_LIBRARIES),
        data=TrainingData(
            file=options.data.name,
            sha256=_hash_pictures(data),
            rows=len(data) - len(data.broken),
            text=data_text,
            source=f"The pictures in {options.data.name}.",
        ),
        how=how,
        metrics=metrics,
        accuracy=accuracy,
        classes=classes,
        preprocessing=found.preprocessing,
        probabilities=calibration,
        reliability=reliability,
        ood="ood.npz" if fitted is not None else "",
        false_alarms=None if fitted is None else round(fitted.false_alarms, 4),
        samples=samples,
        golden=golden,
    )
    save_manifest(work, manifest)
    title = _draft_title(naming, labels)
    _write_card(work / "card.toml", title, classes, labels, naming, data_text, found.preprocessing,
                fitted is not None)  # fmt: skip
    field = _make_field(found.preprocessing)
    figures = tuple(
        (
            item.label,
            formatting.format_percent(item.value, LOCALE, digits=1)
            if item.share
            else formatting.format_number(item.value, LOCALE),
        )
        for item in metrics
    )
    return AddedModel(
        folder,
        folder.name.replace("_", "-"),
        (("image", "image", field.accepted_text, "a picture"),),
        f"{naming.label}: {', '.join(labels)}",
        f"as ONNX. {opened.made or 'It is the network that you gave'}, read as "
        f"{describe_meaning(found.meaning)}; the served form was compared with it on "
        f"{_COMPARED} pictures.",
        figures,
        tuple(notes),
        title,
        f"{accuracy} {how}",
        None,
        (),
        tried=f"{found.preprocessing.describe()[:1].upper()}{found.preprocessing.describe()[1:]}. "
        f"So {found.accuracy:.0%} of {found.pictures} pictures get their class.{found.text}",
        uncompared="It was not compared with a plain baseline.",
    )


def _list_pictures(
    options: AddOptions, notes: list[str]
) -> tuple[LabelledPictures, LabelledPictures | None]:
    if options.more_data or options.where or options.max_rows:
        raise AddError(
            "Pictures are given as one folder, or one CSV file: leave out --where, --max-rows and "
            "further --data."
        )
    folder, inner = find_parts(options.data)
    if inner is not None and options.holdout is None:
        notes.append(
            f"{options.data} is split: the pictures in {folder.name} are the data, those in "
            f"{inner.name} were taken as held out. If the network was trained on these, too, "
            "nothing was measured on new pictures."
        )
    data = read_labelled(folder, options.target)
    held = Path(options.holdout) if options.holdout else inner
    if held is None:
        return data, None
    if not held.exists():
        raise AddError(
            f"--holdout {held}: there is no such folder or CSV file. For pictures it is a folder "
            "like that of --data, with the same classes."
        )
    return data, read_labelled(find_parts(held)[0], options.target, data.classes)


def _answer_all(
    served: bytes,
    preprocessing: Preprocessing,
    data: LabelledPictures,
    most: int,
    order: Sequence[int],
    report: Callable[[str], object],
) -> Answered:
    """Answer pictures; those that cannot be read are noted in ``data``.

    Raises:
        AddError: if no picture can be read.
    """
    session = open_session(served)
    names = [item.name for item in session.get_outputs() if item.name != "map"]
    (given,) = (item.name for item in session.get_inputs())
    chosen = data.choose(most)
    side = max(preprocessing.width, preprocessing.height)
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
        np.array(probabilities),
        np.array(thumbnails),
        np.array(embeddings) if embeddings else None,
        tuple(mean.round().astype(np.uint8) for mean in means),
    )


def _compare(
    served: bytes,
    answer: Callable[..., Float64Array],
    meaning: str,
    preprocessing: Preprocessing,
    data: LabelledPictures,
) -> None:
    """Compare the served form with the network as it was given.

    Raises:
        AddError: if a picture gets another answer.
    """
    predictor = OnnxPicturePredictor(served, preprocessing)
    side = max(preprocessing.width, preprocessing.height)
    for _, picture in data.read(data.choose(_COMPARED), side):
        seen = preprocessing.fit(picture.image)
        raw = answer(preprocessing.to_input(seen))[None]
        expected = to_probabilities(raw, meaning)[0]  # type: ignore[arg-type]
        if not np.allclose(predictor.predict(seen).probabilities, expected, atol=_TOLERANCE):
            raise AddError(
                "The served form answers otherwise than the network that you gave: this form of "
                "ONNX is not supported well enough to serve it."
            )


def _measure_recall(answered: Answered, labels: Sequence[str]) -> tuple[Metric, ...]:
    """How many pictures of each class were named so."""
    predicted = answered.probabilities.argmax(axis=1)
    found = []
    for code, label in enumerate(labels[:_MOST_RECALLS]):
        own = answered.truth == code
        if own.any():
            share = float(np.mean(predicted[own] == code))
            found.append(make_share(f"recall_{code + 1}", f"{label.replace(',', '')} recognised",
                                    share))  # fmt: skip
    return tuple(found)


def _write_golden(
    work: Path,
    served: bytes,
    preprocessing: Preprocessing,
    statistics: PictureStatistics | None,
    means: Sequence[ByteArray],
) -> tuple[GoldenPicture, ...]:
    """Write pictures whose answers are compared at each start: means, so that they show nobody."""
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


def _write_samples(
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
    turns = np.empty(len(order))
    for code in range(len(labels)):
        own = answered.truth[order] == code
        turns[own] = np.arange(own.sum())
    ranked = order[np.lexsort((answered.truth[order], turns))][: options.pictures.samples]
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


def _draft_title(naming: Naming, labels: Sequence[str]) -> str:
    """Draft the question that the classes answer: with their names where they are short."""
    listed = f"{', '.join(labels[:-1])} or {labels[-1]}?"
    if len(listed) <= _LONGEST_TITLE:
        return listed[:1].upper() + listed[1:]
    return ask_for_class(naming, RowNaming(), labels)


def _make_field(preprocessing: Preprocessing) -> ImageField:
    return ImageField(
        kind="image",
        name="image",
        label="Picture",
        noun="picture",
        determiner="a",
        help=f"{FORMATS_TEXT[:1].upper()}{FORMATS_TEXT[1:]} of up to 10 MB. It is read in memory "
        "and never stored.",
        side=max(preprocessing.width, preprocessing.height, 8),
    )


def _write_card(
    path: Path,
    title: str,
    classes: Sequence[str],
    labels: Sequence[str],
    naming: Naming,
    data_text: str,
    preprocessing: Preprocessing,
    refuses: bool,
) -> None:
    """Draft the card, write it, and read it back.

    Raises:
        AddError: if it is not valid.
    """
    head = {
        "format": 2,
        "kind": "pictures",
        "title": title,
        "summary": "Choose a picture. A network, which learned from "
        f"{data_text}, says which one it shows and how sure it is.",
        "locale": LOCALE,
        "data_text": data_text,
        "limits": [
            f"It knows {len(classes)} answers: {', '.join(labels[:12])}"
            f"{' and others' if len(labels) > 12 else ''}. It will choose one of them for "
            + ("every picture that it does not refuse." if refuses else "every picture."),
            f"It sees a picture at {preprocessing.width} × {preprocessing.height} pixels, "
            f"{'in grey' if preprocessing.colour == 'grey' else 'in colour'}, and no finer detail.",
            "A program drafted this card from the pictures. Nobody has written yet what the model "
            "cannot know.",
        ],
        "not_for": [
            "a decision about a person",
            "anything but trying it out, until somebody has written what it is for",
        ],
    }
    last = labels[-1]
    output = {
        "label": naming.label,
        "noun": naming.noun,
        "classes": [
            {"value": value, "label": label} for value, label in zip(classes, labels, strict=True)
        ],
        "map_text": f"Red counts for {last}, blue against it; the stronger the colour, the more."
        if len(classes) == 2
        else "Red counts for the answer, blue against it; the stronger the colour, the more.",
    }
    keys = _make_field(preprocessing).model_dump(mode="json", exclude_defaults=True)
    text = "\n".join(
        [
            "# Drafted by `flask --app wsgi model add`. What it says is a guess: read it, and "
            "write better.\n",
            format_lines(head),
            "[output]\n" + format_lines(output),
            "[[fields]]\n" + format_lines(keys),
        ]
    )
    path.write_text(text, encoding="utf-8")
    try:
        read_card(path)
    except ModelError as error:
        raise AddError(f"The drafted card is not valid: {error}") from error


def _hash_pictures(data: LabelledPictures) -> str:
    """The SHA-256 of the names, classes and sizes of all files, which tells another set apart."""
    listed = "".join(
        f"{path.relative_to(data.root).as_posix()}\t{label}\t{path.stat().st_size}\n"
        for path, label in zip(data.files, data.labels, strict=True)
    )
    return hashlib.sha256(listed.encode()).hexdigest()
