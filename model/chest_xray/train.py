"""Train the chest X-ray model: `python -m model.chest_xray.train DIR --work WORK` (see --help).

DIR holds train/NORMAL and train/PNEUMONIA as in the Kaggle set "Chest X-Ray Images (Pneumonia)".
Patients are split into folds. One network a fold is fine-tuned on the other folds and judged on its
own, clean and under strong changes, so every figure comes from pictures of patients that the judged
network never saw. The exported model is the mean of the first of these networks.
"""

import argparse
import json
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch

from model.chest_xray.data import assign_folds, read_xrays
from model.chest_xray.deletion import measure_map
from model.chest_xray.ensemble import Ensemble, check_onnx, export_onnx, fit_platt_scaling
from model.chest_xray.fitting import TrainingJob, run_job, save_whole
from model.chest_xray.manifest import LIBRARIES, SEED, compute_metrics, hash_folder, make_manifest
from model.chest_xray.network import ChestNet, load_pretrained
from model.chest_xray.ood_fitting import fit_ood_score, measure_mistakes
from model.chest_xray.samples import write_samples
from model.contract.arrays import BoolArray, Float64Array, IntArray
from model.making.writing.manifests import read_versions, save_manifest

_REFUSED_XRAYS = 0.002
"""The share of held-out X-rays that each part of the out-of-distribution score may refuse."""

MIRROR = True
"""Whether the networks see the mirror image as well; the README says what it changes."""


def main() -> None:
    """Train, measure and export; see --help."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR", help="holds train/NORMAL, ...")
    parser.add_argument(
        "--out", type=Path, default=Path(__file__).parent, help="for model.onnx, manifest.json"
    )
    parser.add_argument(
        "--work", type=Path, required=True, help="keeps weights, so that a stopped run goes on"
    )
    parser.add_argument("--folds", type=int, default=3, help="networks that are judged")
    parser.add_argument("--served", type=int, default=2, help="how many of them answer")
    parser.add_argument("--samples", type=int, default=16_000, help="views that each one sees")
    parser.add_argument("--processes", type=int, default=2, help="networks trained at a time")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    folder, work = options.folder.resolve(), options.work.resolve()

    torch.set_num_threads(1)  # more would add up in another order, and give another file
    data = read_xrays(folder)
    fold = assign_folds(data.patient, data.batch, options.folds)
    jobs = [
        TrainingJob(
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
    gate = work / "gate.pt"
    if not gate.exists():
        first = load_pretrained().eval().to(memory_format=torch.channels_last)
        save_whole(fit_ood_score(data, fold, first, _REFUSED_XRAYS), gate)
    with ProcessPoolExecutor(options.processes, mp_context=get_context("spawn")) as pool:
        results = list(pool.map(run_job, jobs))  # (logits, seconds) of each

    judged = np.concatenate([job.test for job in jobs])
    sick, fold_of = data.sick[judged], fold[judged]
    both = {
        name: np.concatenate([logits[name] for logits, _ in results], axis=1)
        for name in results[0][0]
    }
    out_of_fold = {name: logits.mean(0) if MIRROR else logits[0] for name, logits in both.items()}
    scale, offset = fit_platt_scaling(out_of_fold["together"], sick)
    nets = []
    for job in jobs[: options.served]:
        net = ChestNet().eval()
        net.load_state_dict(torch.load(job.path, weights_only=True)["weights"])
        nets.append(net)
    ood_score, refusals = torch.load(gate, weights_only=False)
    ensemble = Ensemble(nets, ood_score, scale, offset, mirror=MIRROR).eval()
    path = options.out / "model.onnx"
    export_onnx(ensemble, path)
    metrics = {
        "pictures": len(data),
        "patients": len(np.unique(data.patient)),
        "folds": options.folds,
        "served": options.served,
        "samples_per_network": options.samples,
        "core_seconds_per_network": [round(seconds) for _, seconds in results],
        "calibration": {"scale": scale, "offset": offset, "prior": 0.5, "threshold": 0.5},
        "cross_validated": {
            name: compute_metrics(scale * logit + offset, sick)
            for name, logit in out_of_fold.items()
        },
        "tried": _compare(both, sick, fold_of),
        "support": refusals,
        "mistakes": measure_mistakes(path, data),
        "deletion": measure_map(path, data),
        "artifact": check_onnx(ensemble, path, data.pictures[::97]),
    }
    (options.out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    samples = write_samples(folder, data, fold, options.out)
    manifest = make_manifest(metrics, path, samples, hash_folder(folder), read_versions(LIBRARIES))
    save_manifest(options.out, manifest)
    print(json.dumps(metrics, indent=2))


def _compare(
    both: dict[str, Float64Array], sick: BoolArray, fold_of: IntArray
) -> dict[str, dict[str, float]]:
    # Each is calibrated on the condition that it is compared by.
    upright, mirrored = both["together"]
    found = {}
    for name, logit in (("upright", upright), ("with its mirror image", (upright + mirrored) / 2)):
        scale, offset = fit_platt_scaling(logit, sick)
        found[name] = compute_metrics(scale * logit + offset, sick)
        for index in range(int(fold_of.max()) + 1):
            own = fold_of == index
            metrics = compute_metrics(scale * logit[own] + offset, sick[own])
            found[f"{name}, fold {index + 1}"] = metrics
    return found


if __name__ == "__main__":
    main()
