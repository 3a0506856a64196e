"""``python -m tests.studies.many_rows``: whether rows of a file get what each gets alone.

Rows like those of the house price model, with holes and mistakes, are answered as a file of CSV,
and one by one: what is wrong with each by the reader of the form, the others by the JSON API, in
lists and in a stream. It counts the differences and ends with 1 where there is one. ``--arrow``
gives the columns of the file as arrays of Arrow, as the command reads them (`make batch-tools`).
"""

import argparse
import csv
import io
import json
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

from flask.testing import FlaskClient

from app import create_app
from app.config import Settings
from app.kinds.streams import JSON_LINES
from model import NumberModel
from model.contract.tables import Block, open_table
from model.serving.batch import Answers, BatchPredictor
from tests.loading import load_as
from tests.model.serving.test_batch import draw_rows
from tests.tools import ROOT

LARGEST = 1e-6
"""Relative difference of two numbers that counts as none."""

TOGETHER = 1000
"""Rows that the API gets in a list."""

Row = dict[str, str]


def write_csv(rows: Sequence[Row]) -> bytes:
    """Write rows as CSV."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(rows[0])
    writer.writerows(row.values() for row in rows)
    return file.getvalue().encode()


def to_arrow(block: Block) -> Block:
    """The block with its columns of texts as arrays of Arrow."""
    import pyarrow as pa

    return block._replace(columns=[pa.array(column, pa.string()) for column in block.columns])


def to_json(row: Row) -> dict[str, str | None]:
    """The row as a program sends it: null for a blank, which the API takes for no value."""
    return {name: text.strip() or None for name, text in row.items()}


def differs(found: float, expected: float) -> bool:
    """Whether two numbers differ, or one is none."""
    return not abs(found - expected) <= LARGEST * abs(expected)


def compare_answer(answers: Answers, row: int, said: dict[str, Any]) -> str:
    """Compare the answer to a row of a block with that of the API; "" where they are the same."""
    expected = [said["prediction"], said["interval"]["low"], said["interval"]["high"]]
    found = [answers.values[name][row] for name in ("prediction", "low", "high")]
    if any(map(differs, found, expected)):
        return "a number of the API"
    warnings = [warning["message"] for warning in said["warnings"]]
    return "" if warnings == ([answers.unusual[row]] if row in answers.unusual else []) else "words"


def compare_list(
    client: FlaskClient, rows: Sequence[Row], answers: Answers, right: Sequence[int]
) -> list[str]:
    """Compare the answers to the rows that are right with those of the API; the differences."""
    said = client.post("/api/predict", json=[to_json(rows[row]) for row in right])
    if said.status_code != 200:
        return ["the API refuses a row that the form takes"]
    return [
        compare_answer(answers, row, one) for row, one in zip(right, said.json or [], strict=True)
    ]


def compare_stream(client: FlaskClient, rows: Sequence[Row], answers: Answers) -> list[str]:
    """Compare the answers to all rows with those of a stream; the differences."""
    lines = "\n".join(json.dumps(to_json(row)) for row in rows)
    said = client.post("/api/predict", data=lines, content_type=JSON_LINES).text.splitlines()
    found = []
    for row, line in enumerate(said):
        one = json.loads(line)
        if "errors" in one:
            errors = {error["field"]: error["message"] for error in one["errors"]}
            found.append("" if errors == answers.errors.get(row) else "an error of the stream")
        else:
            found.append(compare_answer(answers, row, one))
    return found if len(said) == len(rows) else ["a line of the stream is missing"]


def main() -> None:
    """Compare, and print how many rows there were and what differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--arrow", action="store_true", help="give the columns as arrays of Arrow")
    options = parser.parse_args()
    model = load_as(NumberModel, ROOT / "model" / "house_price")
    client = create_app(Settings(models=("house_price",), ratelimit="off")).test_client()
    differences: Counter[str] = Counter()
    wrong = unusual = done = 0
    for seed, start in enumerate(range(0, options.rows, TOGETHER)):
        rows = draw_rows(model, min(TOGETHER, options.rows - start), seed)
        table = open_table(io.BytesIO(write_csv(rows)), "rows.csv")
        predictor = BatchPredictor(model, table.header, table.sample)
        (block,) = table.blocks
        if options.arrow:
            block = to_arrow(block)
        answers = predictor.predict(block)
        for row, typed in enumerate(rows):
            _, errors = model.card.validate_row(typed)
            differences["an error of the form"] += errors != answers.errors.get(row, {})
        right = [row for row in range(len(rows)) if row not in answers.errors]
        differences.update(compare_list(client, rows, answers, right))
        differences.update(compare_stream(client, rows, answers))
        wrong, unusual = wrong + len(answers.errors), unusual + len(answers.unusual)
        done += len(rows)
    del differences[""]
    print(f"{done:,} rows, {wrong:,} of them wrong, {unusual:,} unlike the data")
    for what, count in (+differences).items():
        print(f"{count:,} differ in {what}")
    print("differences:", differences.total())
    sys.exit(bool(differences.total()))


if __name__ == "__main__":
    main()
