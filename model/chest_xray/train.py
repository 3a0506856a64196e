"""Train the chest X-ray model: `python -m model.chest_xray.train DIR --work WORK` (see --help).

DIR holds train/NORMAL and train/PNEUMONIA as in the Kaggle set "Chest X-Ray Images (Pneumonia)".
Patients are split into folds. One network a fold is trained on the other folds and judged on its
own, clean and under strong changes. The exported model is the mean of these networks, so every
figure comes from pictures of patients that the judged network never saw.
"""

from __future__ import annotations

import argparse
import json
import re
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch

from model.chest_xray.data import XRays, assign_folds, read_xrays
from model.chest_xray.ensemble import Ensemble, check_onnx, export_onnx, fit_platt_scaling
from model.chest_xray.fitting import TrainingJob, run_job
from model.chest_xray.manifest import (
    LIBRARIES,
    SEED,
    compute_metrics,
    hash_folder,
    make_manifest,
)
from model.chest_xray.network import ChestNet
from model.chest_xray.ood_fitting import fit_ood_score
from model.making.manifests import read_versions, save_manifest

_REFUSED_XRAYS = 0.004
"""The share of held-out X-rays that the out-of-distribution score may refuse."""


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
    parser.add_argument("--folds", type=int, default=4, help="networks in the ensemble")
    parser.add_argument("--samples", type=int, default=36_000, help="views that each one sees")
    parser.add_argument(
        "--batch-samples",
        type=int,
        default=12_000,
        help="the same for networks without one batch; 0: train none",
    )
    parser.add_argument("--processes", type=int, default=2, help="networks trained at a time")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    folder, work = options.folder.resolve(), options.work.resolve()

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
    batch_jobs = []
    if options.batch_samples:
        batch_jobs = _make_batch_jobs(data, folder, options.batch_samples, work)
    with ProcessPoolExecutor(options.processes, mp_context=get_context("spawn")) as pool:
        results = list(pool.map(run_job, jobs + batch_jobs))  # (logits, seconds) of each

    judged = np.concatenate([job.test for job in jobs])
    sick = data.sick[judged]
    by_fold = [logits for logits, _ in results[: options.folds]]
    out_of_fold = {
        name: np.concatenate([of_fold[name] for of_fold in by_fold]) for name in by_fold[0]
    }
    scale, offset = fit_platt_scaling(out_of_fold, sick)
    nets = []
    for job in jobs:
        net = ChestNet().eval()
        net.load_state_dict(torch.load(job.path, weights_only=True)["weights"])
        nets.append(net)
    ood_score, refusals = fit_ood_score(data, fold, nets, limit=_REFUSED_XRAYS)
    ensemble = Ensemble(nets, ood_score, scale, offset).eval()
    path = options.out / "model.onnx"
    export_onnx(ensemble, path)
    metrics = {
        "pictures": len(data),
        "patients": len(np.unique(data.patient)),
        "folds": options.folds,
        "samples_per_network": options.samples,
        "core_seconds_per_network": [round(seconds) for _, seconds in results],
        "calibration": {"scale": scale, "offset": offset, "prior": 0.5, "threshold": 0.5},
        "cross_validated": {
            name: compute_metrics(scale * logit + offset, sick)
            for name, logit in out_of_fold.items()
        },
        "batches_left_out": {
            job.label: {
                name: compute_metrics(scale * logit + offset, data.sick[job.test])
                for name, logit in logits.items()
            }
            for job, (logits, _) in zip(batch_jobs, results[options.folds :], strict=True)
        },
        "support": refusals,
        "artifact": check_onnx(ensemble, path, data.pictures[::97]),
    }
    (options.out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    manifest = make_manifest(metrics, path, hash_folder(folder), read_versions(LIBRARIES))
    save_manifest(options.out, manifest)
    print(json.dumps(metrics, indent=2))


def _make_batch_jobs(data: XRays, folder: Path, samples: int, work: Path) -> list[TrainingJob]:
    # This comes nearest to pictures from elsewhere: a whole batch of normal pictures, and half of
    # the patient numbers of the others, are left out of the training.
    number = np.array([int(re.sub(r"\D", "", patient)) for patient in data.patient])
    low = number <= np.median(number[data.sick])
    jobs = []
    for batch, half in (("IM", low), ("NORMAL2", ~low)):
        test = np.where(data.sick, half, data.batch == batch)
        seen = np.isin(data.patient, data.patient[test])
        label = f"without {batch}"
        path = work / f"without-{batch}.pt"
        train, judged = np.flatnonzero(~seen), np.flatnonzero(test)
        jobs.append(TrainingJob(label, folder, train, judged, samples, SEED, path))
    return jobs


if __name__ == "__main__":
    main()
