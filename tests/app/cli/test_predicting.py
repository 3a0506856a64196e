"""``model predict``: a file of rows in, the same file with the answers out."""

import csv
import errno
import fcntl
import gzip
import io
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import BinaryIO

import pytest
from click.testing import CliRunner, Result

from app.cli.models import model as commands
from app.kinds import files
from model.serving.batch.output import CsvWriter
from tests.tools import ROOT
from tests.waiting import wait_until

HEADER = "id,beds,baths,sqft,note\n"


def predict(*arguments: object, given: bytes = b"") -> Result:
    return CliRunner().invoke(
        commands, ["predict", "house-price", *map(str, arguments)], input=given
    )


def read(path: Path) -> list[dict[str, str]]:
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.csv"
    path.write_text(HEADER + "007,3,2.5,1850,=1+1\n008,99,x,1850,-5\n009,2,1,900,\n")
    return path


def test_answers_stand_behind_the_columns_of_the_file(source: Path) -> None:
    target = source.with_name("out.csv")
    result = predict(source, target)
    first, second, third = read(target)
    assert list(first) == [
        "id", "beds", "baths", "sqft", "note", "prediction", "low", "high", "warning", "error",
    ]  # fmt: skip
    assert (first["id"], first["note"], second["note"]) == ("007", "'=1+1", "-5")
    assert float(first["low"]) < float(first["prediction"]) < float(first["high"])
    assert second["prediction"] == second["low"] == ""
    assert second["error"] == (
        "Bedrooms must be between 0 and 8; Bathrooms must be a number, like 2.5"
    )
    assert third["error"] == ""
    assert result.exit_code == 3
    assert "3 rows: 2 answered, 1 wrong." in result.stderr
    assert "row 2: Bedrooms must be" in result.stderr
    assert [path.name for path in sorted(source.parent.iterdir())] == ["in.csv", "out.csv"]


@pytest.mark.parametrize(("rows", "status"), [("3,2,1850\n", 0), ("x,2,1850\n", 1)])
def test_the_exit_status_says_how_many_were_answered(rows: str, status: int) -> None:
    result = predict("-", "-", given=f"beds,baths,sqft\n{rows}".encode())
    assert result.exit_code == status
    assert result.stdout.startswith("beds,baths,sqft,prediction,low,high,warning,error\n")


def test_processes_and_packed_files_give_the_same(source: Path) -> None:
    rows = "".join(f"{row},3,2,{800 + row % 900},x{row}\n" for row in range(30_000))
    packed = source.with_name("in.csv.gz")
    packed.write_bytes(gzip.compress((HEADER + rows).encode()))
    one, two = source.with_name("one.csv.gz"), source.with_name("two.csv")
    assert predict(packed, one, "--no-warnings").exit_code == 0
    assert predict(packed, two, "--no-warnings", "--workers", 2).exit_code == 0
    assert read(one) == read(two)
    assert [row["note"] for row in read(two)[::9999]] == ["x0", "x9999", "x19998", "x29997"]


def end_at_once(*_: object) -> None:
    """What the system does to a process for which no memory is left."""
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_process_that_is_ended_is_said_in_a_sentence(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_load_answerer", end_at_once)
    for target in (source.with_name("out.csv"), "-"):
        result = predict(source, target, "--workers", 2)
        assert result.exit_code == 1
        assert "Give fewer --workers than 2." in result.stderr
    assert not source.with_name("out.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("in.csv", "in.csv"), "is the file to answer"),
        (("in.csv", "link.csv"), "is the file to answer"),
        (("again.csv.incomplete", "again.csv"), "would be written over. Give OUT another name"),
        (("folder.csv", "out.csv"), "is a folder. Name a file in it"),
        (("no.csv", "out.csv"), "There is no file"),
        (("in.csv", "out.txt"), "Give OUT that ending"),
        (("in.csv", "no/out.csv"), "There is no folder"),
        (("in.csv", "folder.csv"), "is a folder"),
        (("in.csv", f"{'x' * 245}.csv"), "File name too long"),
        (("short.csv", "out.csv"), "needs columns for baths (Bathrooms), sqft (Square feet)"),
        (("in.csv", "out.csv", "--encoding", "klingon"), "no encoding 'klingon'"),
        (("in.csv", "out.csv", "--encoding", "base64"), "no encoding 'base64'"),
        (("in.csv", "out.csv", "--encoding", "idna"), "no encoding 'idna'"),
        (("in.csv", "out.csv", "--encoding", "utf-16"), "in.csv cannot be read as utf-16"),
        (("in.csv", "out.csv", "--delimiter", ";;"), "';;' cannot separate columns"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_left(
    source: Path, arguments: tuple[str, ...], words: str
) -> None:
    folder = source.parent
    (folder / "link.csv").hardlink_to(source)
    (folder / "again.csv.incomplete").hardlink_to(source)
    (folder / "folder.csv").mkdir()
    (folder / "short.csv").write_text("beds\n3\n")
    before = source.read_bytes()
    paths, options = arguments[:2], arguments[2:]
    result = predict(*(folder / path for path in paths), *options)
    assert result.exit_code == 1
    assert words in " ".join(result.stderr.split())
    assert source.read_bytes() == before
    assert not (folder / "out.csv").exists()


def test_two_commands_do_not_write_one_file(source: Path) -> None:
    unfinished = source.with_name("out.csv.incomplete")
    unfinished.write_text("rows of another command, or of one that was stopped")
    with unfinished.open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        result = predict(source, source.with_name("out.csv"))
        assert result.exit_code == 1
        assert "Another command writes" in result.stderr
        assert unfinished.read_text().startswith("rows of another")
    assert predict(source, source.with_name("out.csv")).exit_code == 3
    assert [row["id"] for row in read(source.with_name("out.csv"))] == ["007", "008", "009"]


def test_a_command_that_begins_while_another_ends_takes_nothing_from_it(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, unfinished = source.with_name("out.csv"), source.with_name("out.csv.incomplete")
    kept = source.with_name("kept.csv")
    unfinished.write_text("all rows of another command")
    kept.hardlink_to(unfinished)
    lock = fcntl.flock

    def end_other(file: BinaryIO, operation: int) -> None:
        if not target.exists():
            unfinished.replace(target)
        lock(file, operation)

    monkeypatch.setattr(fcntl, "flock", end_other)
    assert predict(source, target).exit_code == 3
    assert [row["id"] for row in read(target)] == ["007", "008", "009"]
    assert kept.read_text() == "all rows of another command"


def test_a_folder_that_is_removed_meanwhile_is_said_to_hold_nothing(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = source.with_name("answers")
    folder.mkdir()
    monkeypatch.setattr(CsvWriter, "write", lambda *_: shutil.rmtree(folder))
    result = predict(source, folder / "out.csv")
    assert result.exit_code == 1
    said = " ".join(result.stderr.split())
    assert "out.csv.incomplete was removed meanwhile, with 3 rows; there is no" in said


def test_a_disk_that_is_found_full_at_the_end_leaves_out_as_it_was(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    target = source.with_name("out.csv")
    target.write_text("of yesterday")
    monkeypatch.setattr(os, "fsync", fail)
    result = predict(source, target)
    assert result.exit_code == 1
    said = " ".join(result.stderr.split())
    assert "No space left on device. 3 rows are in" in said
    assert said.endswith("out.csv is as it was.")
    assert target.read_text() == "of yesterday"


def test_standard_output_that_takes_nothing_is_named() -> None:
    command = f'"{sys.executable}" -m flask --app wsgi model predict house-price - - > /dev/full'
    done = subprocess.run(
        ["sh", "-c", command], cwd=ROOT, input="beds,baths,sqft\n3,2,1850\n", capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.endswith("Error: Standard output: No space left on device.\n")


@pytest.mark.parametrize(("closed", "what"), [("<&-", "input"), (">&-", "output")])
def test_a_closed_stream_is_no_file(closed: str, what: str) -> None:
    command = f'"{sys.executable}" -m flask --app wsgi model predict house-price - - {closed}'
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, input="", capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (
        1,
        f"Error: Standard {what} is closed. Name a file.\n",
    )


def test_a_file_that_breaks_off_leaves_what_was_answered_under_another_name(
    source: Path,
) -> None:
    rows = "".join(f"{row},3,2,1850,\n" for row in range(40_000))
    packed = source.with_name("in.csv.gz")
    packed.write_bytes(gzip.compress((HEADER + rows).encode())[:-30])
    target = source.with_name("out.csv")
    target.write_text("as it was")
    result = predict(packed, target, "--no-warnings")
    assert result.exit_code == 1
    assert "cannot be unpacked" in result.stderr
    assert "out.csv is as it was" in " ".join(result.stderr.split())
    assert target.read_text() == "as it was"
    assert len(read(target.with_name("out.csv.incomplete"))) > 1000


@pytest.mark.parametrize(("name", "workers"), [("out.csv", 1), ("out.xlsx", 1), ("out.csv", 2)])
def test_ctrl_c_leaves_a_file_that_says_it_is_incomplete(
    tmp_path: Path, name: str, workers: int
) -> None:
    """A terminal sends it to all processes; the second ones are still being started."""
    target, fifo = tmp_path / name, tmp_path / "in.csv"
    os.mkfifo(fifo)
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "model", "predict", "house-price"]
    process = subprocess.Popen(
        [*command, str(fifo), str(target), "--workers", str(workers)],
        cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    unfinished = tmp_path / f"{name}.incomplete"
    with fifo.open("w") as file:
        file.write(HEADER + "1,3,2,1850,x\n" * (60_000 if workers == 1 else 20_500))
        file.flush()
        # What is packed stays longer in the file's buffer, of which Python 3.14 makes 128 KiB.
        least = 10_000 if workers == 1 and name.endswith(".csv") else 0
        wait_until(lambda: unfinished.exists() and unfinished.stat().st_size >= least)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        wait_until(lambda: len(children.read_text().split()) >= (workers > 1) * 2)
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=300)
    assert process.returncode == 1
    assert "Stopped." in said
    assert f"{name}.incomplete" in said.replace("\n", "")
    assert "Traceback" not in said
    assert not target.exists()
    if name.endswith(".xlsx"):
        with zipfile.ZipFile(unfinished) as book:
            rows = book.read("xl/worksheets/sheet1.xml").count(b"<row>") - 1
        assert f"{rows:,} rows are in" in said


def test_no_process_stays_where_the_first_one_is_ended(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "model", "predict", "house-price"]
    process = subprocess.Popen(
        [*command, "-", str(tmp_path / "out.csv"), "--workers", "2"],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write(HEADER + "1,3,2,1850,x\n" * 100_000)
    process.stdin.flush()
    unfinished = tmp_path / "out.csv.incomplete"
    wait_until(lambda: unfinished.exists() and unfinished.stat().st_size > 10_000)
    process.kill()
    process.communicate(timeout=60)  # ends when all that hold its output have ended


def test_a_folder_and_a_zip_of_pictures_are_files_of_many_rows(tmp_path: Path) -> None:
    golden = sorted((ROOT / "model" / "chest_xray").rglob("*.png"))[0].read_bytes()
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    (pictures / "a.png").write_bytes(golden)
    (pictures / "b.png").write_bytes(b"no picture")
    (pictures / ".DS_Store").write_bytes(b"x")
    with zipfile.ZipFile(tmp_path / "pictures.zip", "w") as archive:
        for path in sorted(pictures.iterdir()):
            archive.write(path, path.name)
    found = []
    for name in ("pictures", "pictures.zip"):
        target = tmp_path / f"{name}.csv"
        result = CliRunner().invoke(
            commands, ["predict", "chest-xray", str(tmp_path / name), str(target)]
        )
        assert result.exit_code == 3, result.output
        found.append(read(target))
    first, second = found[0]
    assert found[1] == found[0]
    assert (first["file"], second["file"]) == ("a.png", "b.png")
    assert first["label"]
    assert "must be a JPEG" in second["error"]
