"""Makes the folder of a network for pictures: find its input, measure, draft, write."""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np

from model.contract import formatting
from model.contract.image_card import ImageManifest
from model.contract.manifest import Metric, TrainingData
from model.contract.paths import find_path
from model.making.columns.naming import Naming, format_choice
from model.making.errors import AddError
from model.making.kinds.classification_metrics import describe_rows, measure_classifier
from model.making.kinds.output_kind import Evaluation, make_share
from model.making.options import LOCALE, AddOptions, AskPerson, Progress
from model.making.pictures.answering import (
    COMPARED,
    Answered,
    answer_all,
    compare_served,
    prepare_pictures,
)
from model.making.pictures.cards import draft_title, make_field, write_picture_card
from model.making.pictures.folder_pictures import write_golden_pictures, write_sample_pictures
from model.making.pictures.labelled import LabelledPictures, find_parts, read_labelled
from model.making.pictures.networks import MEANINGS, PictureNetwork
from model.making.pictures.opening import open_classifier, open_file
from model.making.pictures.statistics import MOST_FALSE_ALARMS, FittedStatistics, fit_statistics
from model.making.pictures.trying import Found, find_preprocessing
from model.making.writing.manifests import describe_artifact, read_versions, save_manifest
from model.making.writing.summary import AddedModel
from model.serving.picture_statistics import PictureStatistics

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
_LIBRARIES = ("numpy", "onnx", "onnxruntime", "Pillow", "h5py")
_MOST_RECALLS = 10


def make_picture_folder(
    options: AddOptions, folder: Path, work: Path, report: Progress, ask: AskPerson
) -> AddedModel:
    """Make the model's files in ``work``; messages name ``folder``, where they go afterwards.

    Raises:
        NotProvedError: if the pictures do not prove how the network is to be asked.
        AddError: if it cannot be added, and what to do.
    """
    stage = iter(PICTURE_STAGES)
    notes: list[str] = []
    report(next(stage))
    opened = open_file(options, ask, report)
    classifier = opened.classifier

    report(next(stage))
    data, held_out = _list_pictures(options, notes)

    report(next(stage))
    classes = options.classes
    if not classes and classifier and set(classifier.classes) == set(data.classes):
        classes = classifier.classes

    def find(network: PictureNetwork) -> Found:
        return find_preprocessing(network, data, options.pictures, classes, report, options.as_is)

    network, found = opened.network, find(opened.network)
    if classifier is not None:
        inputs = prepare_pictures(found.preprocessing, data)
        if doubt := classifier.doubt(inputs.reshape(len(inputs), -1)):
            notes.append(doubt)
            classifier = classifier.without_probabilities()
            found = find(next(open_classifier(classifier, options)))
            inputs = prepare_pictures(found.preprocessing, data)
        network = classifier.settle(open_classifier(classifier, options), inputs)
    notes += found.notes
    names_only = network.names_only
    served = network.build_served(found.meaning)
    classes = tuple(data.classes[place] for place in found.order)

    report(next(stage))
    answered = answer_all(served, found.preprocessing, data, _MOST_PICTURES, found.order, report)
    compare_served(served, network.answer, found.meaning, found.preprocessing, data)
    if len(data) > len(answered.places) + len(data.broken):
        notes.append(f"{len(answered.places):,} of the {len(data):,} pictures were used.")

    report(next(stage))
    others = None
    if held_out is not None:
        others = answer_all(
            served, found.preprocessing, held_out, _MOST_HELD_OUT, found.order, report
        )
    described = None if others is None else (others.thumbnails, others.embeddings)
    fitted = fit_statistics(answered.thumbnails, answered.embeddings, described)
    broken = [data.describe_broken(), held_out.describe_broken() if held_out else ""]
    notes += [text for text in broken if text]
    naming = Naming("answer", "What the picture shows", "answer", "")
    labels = [format_choice(name) for name in classes]
    count = formatting.format_number(len(data) - len(data.broken), options.locale)
    data_text = f"{count} pictures of {len(classes)} classes"
    measured = _measure(answered, others, fitted, labels, notes, options.locale, names_only)

    report(next(stage))
    (work / "model.onnx").write_bytes(served)
    files = ["model.onnx"]
    statistics = None
    if fitted is not None:
        fitted.statistics.save(work / "ood.npz")
        statistics = PictureStatistics.load(work / "ood.npz")  # in the precision that is served
        files.append("ood.npz")
    golden = write_golden_pictures(work, served, found.preprocessing, statistics, answered.means)
    source = held_out if others is not None and held_out is not None else data
    samples = write_sample_pictures(
        work,
        options,
        source,
        others or answered,
        labels,
        found.preprocessing,
        fitted.statistics if fitted else None,
        notes,
    )
    files += [item.picture for item in golden] + [item.file for item in samples]
    manifest = ImageManifest(
        trained=date.today(),
        seed=0,
        served="model.onnx",
        artifacts={name: describe_artifact(work / name) for name in files},
        versions=read_versions(_LIBRARIES),
        data=TrainingData(
            file=options.data.name,
            sha256=data.hash_files(),
            rows=len(data) - len(data.broken),
            text=data_text,
            source=f"The pictures in {options.data.name}.",
        ),
        how=measured.how,
        metrics=measured.metrics,
        accuracy=measured.accuracy,
        classes=classes,
        preprocessing=found.preprocessing,
        threshold=math.nextafter(0.5, 1),  # of two equally likely classes the first is named
        probabilities=measured.probabilities,
        reliability=measured.reliability,
        ood="ood.npz" if fitted is not None else "",
        false_alarms=None if fitted is None else round(fitted.false_alarms, 4),
        samples=samples,
        golden=golden,
    )
    save_manifest(work, manifest)
    title = draft_title(naming, labels)
    write_picture_card(
        work / "card.toml",
        title,
        classes,
        labels,
        naming,
        data_text,
        found.preprocessing,
        fitted is not None,
        options.locale,
        names_only,
    )
    field = make_field(found.preprocessing)
    return AddedModel(
        folder,
        folder.name.replace("_", "-"),
        (("image", "image", field.accepted_text, "a picture"),),
        f"{naming.label}: {', '.join(labels)}",
        f"as ONNX. {opened.made or 'It is the network that you gave'}, read as "
        f"{MEANINGS[found.meaning]}; the served form was compared with it on "
        f"{COMPARED} pictures.",
        tuple((metric.label, metric.format(LOCALE)) for metric in measured.metrics),
        tuple(notes),
        title,
        f"{measured.accuracy} {measured.how}",
        None,
        (),
        tried=f"{formatting.capitalize(found.preprocessing.describe())}. "
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
            f"{inner.name} were taken as held out. If the model was trained on these, too, "
            "nothing was measured on new pictures."
        )
    data = read_labelled(folder, options.target)
    held = Path(options.holdout) if options.holdout else inner
    if held is None:
        return data, None
    if not find_path(str(held)):
        raise AddError(
            f"--holdout {held}: there is no such folder or CSV file. For pictures it is a folder "
            "like that of --data, with the same classes."
        )
    return data, read_labelled(find_parts(held)[0], options.target, data.classes)


def _measure(
    answered: Answered,
    others: Answered | None,
    fitted: FittedStatistics | None,
    labels: Sequence[str],
    notes: list[str],
    locale: str,
    names_only: bool,
) -> Evaluation:
    """Measure how good it is on ``others``, the pictures that were held out, and say so."""
    if others is None:
        right = formatting.format_share(answered.right, len(answered.places), locale)
        raw = "" if names_only else " and its probabilities are as the model gives them"
        notes.append(
            f"Nothing was measured on new pictures{raw}, because no held-out pictures were given: "
            "--holdout FOLDER."
        )
        measured = Evaluation(
            "Nothing was measured: no pictures were held out from the model.",
            "How good it is on new pictures was not measured. It was right for "
            f"{right} pictures that it may have learned from.",
        )
    else:
        shown = formatting.format_number(len(others.places), locale)
        right = formatting.format_share(others.right, len(others.places), locale)
        metrics, calibration, reliability = measure_classifier(
            others.probabilities, others.truth, not names_only
        )
        measured = Evaluation(
            describe_rows(f"{shown} pictures", "model", reliability),
            f"It was right for {right} pictures that it had not seen.",
            metrics + _measure_recall(others, labels),
            probabilities=calibration,
            reliability=reliability,
        )
    if fitted is None:
        notes.append("No picture is refused as unlike the others: there are too few pictures.")
        return measured
    alarms = formatting.format_percent(fitted.false_alarms, LOCALE, digits=1)
    if fitted.false_alarms > MOST_FALSE_ALARMS:
        notes.append(
            f"It refuses {alarms} of the held-out pictures: they are unlike those in --data."
        )
    refused = make_share(
        "false_alarms", "Pictures of its kind that are refused", fitted.false_alarms
    )
    return replace(
        measured,
        how=f"{measured.how} Of pictures like these it refuses {alarms} as unlike all that it "
        "knows.",
        metrics=(*measured.metrics, refused),
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
