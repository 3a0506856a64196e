"""``python -m tests.benchmarks.batch``: rows a second on one core, and memory, for many rows.

The rows are drawn from the training rows of the house price model. CPU time of the process counts,
the best of some turns, in each of which all have theirs. pandas with the pipeline that the model
was compiled from is measured in the same run, and MLflow where it is installed; neither checks a
cell or gives a range. pyarrow is needed (`make batch-tools`).
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from model import NumberModel
from model.contract.tables import ReadOptions, open_table
from model.serving.batch import BatchPredictor
from model.serving.batch.output import CsvWriter
from tests.loading import load_as
from tests.model.making.conftest import add
from tests.models import wide_regressor
from tests.tools import ROOT

TURNS = 3
Predict = Callable[[pd.DataFrame], Any]
PEAK_ROWS = 5_000_000

ANSWER = """
import atexit, re
from flask.cli import main
status = open("/proc/self/status")
atexit.register(lambda: print(re.search(r"VmHWM:\\s*(\\d+)", status.read())[1]))
main()
"""
"""Is ``flask``, and tells at its end how many KB it had at most."""


def draw(model: NumberModel, rows: int) -> str:
    """Draw rows as CSV."""
    assert model.neighbors is not None
    known = model.neighbors.rows
    codes = known[np.random.default_rng(0).integers(0, len(known), rows)]
    columns = []
    for field, column in zip(model.card.fields, codes.T, strict=True):
        texts = {code: str(field.decode(code)) for code in np.unique(column).tolist()}
        columns.append(["" if code != code else texts[code] for code in column.tolist()])
    header = ",".join(model.card.names)
    return "\n".join([header, *map(",".join, zip(*columns, strict=True))]) + "\n"


def add_wide(folder: Path) -> NumberModel:
    """Add a model of thirty numbers with four decimals, half of them below 0."""
    assert add(wide_regressor(folder), "wide", folder).exit_code == 0
    return load_as(NumberModel, folder / "wide")


def draw_wide(model: NumberModel, rows: int, path: Path) -> None:
    """Write rows for the model of thirty numbers, nearly all of which differ."""
    low, high = np.array([field.code_bounds for field in model.card.fields]).T
    drawn = np.random.default_rng(0).uniform(low, high, (rows, len(low)))
    np.savetxt(path, drawn, "%.4f", ",", header=",".join(model.card.names), comments="")


def answer_csv(model: NumberModel, source: Path, target: Path, warnings: bool, arrow: bool) -> None:
    """Answer a CSV file, as the command does with or without pyarrow."""
    with source.open("rb") as file, target.open("wb") as out:
        table = open_table(file, source.name, ReadOptions(arrow=arrow))
        predictor = BatchPredictor(model, table.header, table.sample, warnings=warnings)
        writer = CsvWriter(out, table.header, predictor.columns)
        for block in table.blocks:
            writer.write(CsvWriter.render(block, predictor.predict(block)))


def answer_arrow(model: NumberModel, source: Path, warnings: bool) -> Callable[[], None]:
    """Make the function that answers record batches of texts, as a cluster hands them over."""
    import pyarrow as pa
    from pyarrow import csv

    from model.serving.batch.arrow import predict_batches

    texts = csv.ConvertOptions(column_types=dict.fromkeys(model.card.names, pa.string()))
    batches = csv.read_csv(source, convert_options=texts).combine_chunks().to_batches(32_768)

    def run() -> None:
        for _ in predict_batches(batches, model, warnings):
            pass

    return run


def load_pipeline() -> Any:
    """The scikit-learn pipeline of the house price model, which `make train` leaves there."""
    import joblib

    saved = joblib.load(ROOT / "model" / "house_price" / "model.joblib")
    return saved["value"] if isinstance(saved, dict) else saved


def read_frame(source: Path | pd.DataFrame) -> pd.DataFrame:
    """Read rows as the pipeline takes them: every number as a float."""
    frame = source if isinstance(source, pd.DataFrame) else pd.read_csv(source)
    numbers = frame.select_dtypes("number").astype("float64")
    return frame.assign(**{name: numbers[name] for name in numbers.columns})


def answer_with_pandas(predict: Predict, source: Path, target: Path) -> Callable[[], None]:
    """Make what people write: pandas in chunks, a function that predicts, to_csv; no checks."""

    def run() -> None:
        for number, chunk in enumerate(pd.read_csv(source, chunksize=50_000)):
            chunk["prediction"] = predict(read_frame(chunk))
            mode, header = ("a", False) if number else ("w", True)
            chunk.to_csv(target, mode=mode, header=header, index=False)

    return run


def load_mlflow(folder: Path, frame: pd.DataFrame) -> Predict:
    """The generic Python function that MLflow makes of the pipeline, with the columns' types."""
    import mlflow

    pipeline = load_pipeline()
    signature = mlflow.models.infer_signature(frame.head(100), pipeline.predict(frame.head(100)))
    mlflow.sklearn.save_model(
        pipeline, folder, signature=signature, serialization_format="cloudpickle"
    )
    predict: Predict = mlflow.pyfunc.load_model(str(folder)).predict
    return predict


def measure(runs: Mapping[str, Callable[[], object]], rows: int) -> None:
    """Print rows a second of CPU time, the best of some turns."""
    best = dict.fromkeys(runs, float("inf"))
    for _ in range(TURNS):
        for name, run in runs.items():
            started = time.process_time()
            run()
            best[name] = min(best[name], time.process_time() - started)
    for name, seconds in best.items():
        print(f"{name:40} {round(rows / seconds):>9,} rows/s", flush=True)


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--peak", type=int, default=PEAK_ROWS, help="rows for the memory; 0: none")
    options = parser.parse_args()
    model = load_as(NumberModel, ROOT / "model" / "house_price")
    with threadpool_limits(1), tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "in.csv"), Path(folder, "out.csv")
        text = draw(model, options.rows)
        source.write_text(text)
        runs: dict[str, Callable[[], object]] = {
            "record batches": answer_arrow(model, source, warnings=False),
            "record batches, with warnings": answer_arrow(model, source, warnings=True),
            "CSV to CSV": partial(answer_csv, model, source, target, False, True),
            "CSV to CSV, with warnings": partial(answer_csv, model, source, target, True, True),
            "without pyarrow": partial(answer_csv, model, source, target, False, False),
            "without pyarrow, with warnings": partial(
                answer_csv, model, source, target, True, False
            ),
        }
        frame = read_frame(source)
        others: dict[str, Predict] = {"pandas and scikit-learn": load_pipeline().predict}
        if find_spec("mlflow"):
            others["MLflow's pyfunc"] = load_mlflow(Path(folder, "mlflow"), frame)
        for name, predict in others.items():
            runs[f"{name}, in memory"] = partial(predict, frame)
            runs[f"{name}, CSV to CSV"] = answer_with_pandas(predict, source, target)
        measure(runs, options.rows)
        wide, table = add_wide(Path(folder)), Path(folder, "wide.csv")
        draw_wide(wide, options.rows // 5, table)
        runs = {
            "30 numbers: record batches": answer_arrow(wide, table, warnings=False),
            "30 numbers: CSV to CSV": partial(answer_csv, wide, table, target, False, True),
            "the same, without pyarrow": partial(answer_csv, wide, table, target, False, False),
        }
        measure(runs, options.rows // 5)
        if options.peak:
            body = text.partition("\n")[2]
            with source.open("a") as file:
                for _ in range(options.peak // options.rows - 1):
                    file.write(body)
            command = [sys.executable, "-c", ANSWER, "--app", "wsgi", "model", "predict"]
            for path in (target, target.with_suffix(".parquet")):
                done = subprocess.run(
                    [*command, "house-price", source, path],
                    cwd=ROOT,
                    stdout=subprocess.PIPE,
                    text=True,
                    check=True,
                )
                peak = int(done.stdout) // 1024
                print(f"peak memory, {options.peak:,} rows to {path.suffix:10} {peak:>9} MB")


if __name__ == "__main__":
    main()
