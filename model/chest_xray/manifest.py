"""The manifest, made of the figures of a training run; it needs no PyTorch."""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from sklearn.metrics import roc_auc_score

from model.chest_xray.drawing import draw_chest
from model.contract.arrays import BoolArray, Float64Array
from model.contract.image_card import GoldenPicture, ImageManifest, SamplePicture
from model.contract.manifest import Metric, ProbabilityCalibration, TrainingData
from model.making.kinds.classification_metrics import calibration_error
from model.making.kinds.output_kind import make_share
from model.making.writing.manifests import describe_artifact
from model.serving.kinds.pictures import OnnxPicturePredictor

SEED = 2026
COLOUR_LIMIT = 25.0
SOURCE = (
    "Daniel Kermany, Kang Zhang, Michael Goldbaum, “Labeled Optical Coherence Tomography (OCT) and "
    "Chest X-Ray Images for Classification”, Mendeley Data, doi:10.17632/rscbjbr9sj, CC BY 4.0; "
    "the training split in the layout of the Kaggle set “Chest X-Ray Images (Pneumonia)”."
)
_GOLDEN_SEEDS = (1, 2, 3)
LIBRARIES = ("numpy", "onnx", "onnxruntime", "opencv-python-headless", "Pillow", "torch")
_METRIC_LABELS = {
    "auc": "Area under the ROC curve",
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "sensitivity": "Pneumonia recognised (sensitivity)",
    "specificity": "Normal recognised (specificity)",
    "ece": "Mean gap between probability and truth",
}
_CONDITION_LABELS = {
    "clean": "pictures as they are",
    "together": "cropped, turned, blurred and compressed at once",
    "other style": "restyled to resemble the other group",
}
_REFUSAL_LABELS = {
    "xrays_refused_clean": "Chest X-rays that are refused",
    "xrays_refused_mildly_changed": "Chest X-rays that are refused, mildly changed",
    "others_refused": "Other pictures that are refused",
}


def hash_folder(folder: Path) -> str:
    """Return the SHA-256, in hex, of the sorted SHA-256 sums of all training files."""
    paths = sorted((folder / "train").glob("*/*.jp*g"))
    listed = "".join(hashlib.sha256(path.read_bytes()).hexdigest() + "\n" for path in paths)
    return hashlib.sha256(listed.encode()).hexdigest()


def compute_metrics(logit: Float64Array, sick: BoolArray) -> dict[str, float]:
    """Return AUC, accuracy and calibration of logits, at the threshold of logit 0.

    Args:
        logit: calibrated logits of pneumonia, [N].
        sick: whether each picture shows pneumonia, [N].
    """
    probability = 1 / (1 + np.exp(-logit))
    predicted = logit > 0
    sensitivity, specificity = float(predicted[sick].mean()), float((~predicted[~sick]).mean())
    return {
        "auc": float(roc_auc_score(sick, logit)),
        "accuracy": float((predicted == sick).mean()),
        "balanced_accuracy": (sensitivity + specificity) / 2,
        "sensitivity": sensitivity,
        "specificity": specificity,
        "brier": float(np.square(probability - sick).mean()),
        "ece": calibration_error(probability, sick),
    }


def make_manifest(
    metrics: Mapping[str, Any],
    artifact: Path,
    samples: Sequence[SamplePicture],
    data_hash: str,
    versions: dict[str, str],
) -> ImageManifest:
    """Return the manifest of a network, with golden pictures that are drawn and answered now.

    The golden pictures are written beside the network.

    Args:
        metrics: what ``train.py`` measured, as in its metrics.json.
        artifact: the exported network.
        samples: the pictures that a visitor can try.
        data_hash: see ``hash_folder``.
        versions: of the libraries that trained it.
    """
    predictor = OnnxPicturePredictor(artifact)
    golden, files = [], [artifact]
    for seed in _GOLDEN_SEEDS:
        drawn = draw_chest(seed)
        files.append(artifact.with_name(f"golden-{seed}.png"))
        Image.fromarray(drawn).save(files[-1], optimize=True)
        output = predictor.predict(drawn)
        golden.append(
            GoldenPicture(
                picture=files[-1].name,
                probability=round(output.probability, 5),
                ood_score=round(output.ood_score, 4),
            )
        )
    return ImageManifest(
        trained=dt.date.today(),
        seed=SEED,
        served=artifact.name,
        artifacts={path.name: describe_artifact(path) for path in files}
        | {item.file: describe_artifact(artifact.parent / item.file) for item in samples},
        versions=versions,
        data=TrainingData(
            file="train/",
            sha256=data_hash,
            rows=metrics["pictures"],
            text=f"{metrics['pictures']:,} chest X-rays of {metrics['patients']:,} children",
            source=SOURCE,
        ),
        how="Each picture of the training split was judged by a network that had seen no picture "
        f"of that patient ({metrics['folds']}-fold cross-validation by patient). What answers here "
        f"is the mean of {metrics['served']} of these networks. The published test split was not "
        "used. The probability is calibrated for both answers being equally common.",
        metrics=tuple(_make_metrics(metrics)),
        accuracy=_count_errors(metrics["cross_validated"]),
        classes=("NORMAL", "PNEUMONIA"),
        threshold=metrics["calibration"]["threshold"],
        # Pictures of one child are no evidence of their own, so children count.
        probabilities=ProbabilityCalibration(
            rows=metrics["patients"],
            temperature=1.0,
            most=(metrics["patients"] + 0.5) / (metrics["patients"] + 1),
        ),
        colour_limit=COLOUR_LIMIT,
        samples=tuple(samples),
        golden=tuple(golden),
    )


def _count_errors(figures: Mapping[str, Mapping[str, float]]) -> str:
    """Say how often the networks were wrong, in whole numbers of children."""
    healthy, sick = (
        [round(100 * (1 - figures[condition][kind])) for condition in ("clean", "together")]
        for kind in ("specificity", "sensitivity")
    )
    return (
        f"Of 100 healthy children whom it had not seen, it called {healthy[0]} ill; of 100 with "
        f"pneumonia, it called {sick[0]} healthy. On poorer pictures (cropped, turned, blurred and "
        f"compressed at once) it was {healthy[1]} and {sick[1]}."
    )


def _make_metrics(metrics: Mapping[str, Any]) -> list[Metric]:
    found = [
        make_share(
            f"{kind}_{condition.replace(' ', '_')}",
            f"{label}, {words}",
            metrics["cross_validated"][condition][kind],
        )
        for condition, words in _CONDITION_LABELS.items()
        for kind, label in _METRIC_LABELS.items()
    ]
    found += [
        make_share(name, label, metrics["support"][name]) for name, label in _REFUSAL_LABELS.items()
    ]
    return found
