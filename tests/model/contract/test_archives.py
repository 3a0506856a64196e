"""ZIP files that are damaged, or that lie, get a sentence."""

import io
import random
import zipfile

import pytest

from model.contract.archives import read_archive
from model.contract.tables import TableError

FILES = {"a.png": b"x" * 300, "b/": b"", "ü.png": b"y" * 90}


def pack(method: int) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, content in FILES.items():
            archive.writestr(name, content)
    return packed.getvalue()


def read(content: bytes) -> dict[str, bytes]:
    return dict(read_archive(io.BytesIO(content), "a.zip", 1_000))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_files_are_read_and_folders_are_not(method: int) -> None:
    assert read(pack(method)) == {name: text for name, text in FILES.items() if text}


def test_hidden_files_are_passed_over_and_dots_in_a_path_hide_nothing() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in ("./a.png", "../b/c.png", "._a.png", "__MACOSX/a.png", "d/.e/f.png"):
            archive.writestr(name, b"x")
    assert list(read(packed.getvalue())) == ["./a.png", "../b/c.png"]


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_compression_that_unpacks_without_bounds_is_refused(method: int) -> None:
    with pytest.raises(TableError, match="password or an unusual compression"):
        read(pack(method))


@pytest.mark.filterwarnings("ignore:Overlapped entries")  # Python 3.14 reads some of them
def test_every_damaged_archive_is_read_or_refused_in_words() -> None:
    rng = random.Random(1)  # noqa: S311 (no secret)
    plain, said = pack(zipfile.ZIP_DEFLATED), []
    for _ in range(2_000):
        damaged = bytearray(plain)
        for _ in range(rng.randrange(1, 6)):
            damaged[rng.randrange(len(damaged))] = rng.choice((0, 1, 255, rng.randrange(256)))
        try:
            read(bytes(damaged))
        except TableError as error:
            said.append(str(error))
    assert len(said) > 1_000
    assert set(said) == {
        "a.zip is not a whole ZIP file. Pack it again.",
        "a.zip holds a file with a password or an unusual compression. Pack a plain ZIP.",
    }
