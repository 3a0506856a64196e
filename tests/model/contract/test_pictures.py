"""A picture reads the same in every format and mode; a file that cannot be read is refused."""

import math
from contextlib import suppress
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps
from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from model import PictureModel
from model.chest_xray.drawing import draw_chest
from model.contract.pictures import (
    ImageField,
    Picture,
    has_too_many_parts,
    measure_colourfulness,
)
from tests import pictures
from tests.loading import load_as
from tests.tools import ROOT

FIELD = ImageField(kind="image", name="image", label="Chest X-ray", noun="picture", determiner="a")


def read(data: bytes) -> Picture:
    found = FIELD.validate_value(data)
    assert isinstance(found, Picture)
    assert found.square.shape == (224, 224)
    assert found.square.dtype == np.uint8
    return found


def test_ten_megabytes_are_the_largest_file_that_is_read() -> None:
    small = pictures.encoded(pictures.chest(), "JPEG", quality=95)
    largest = small.ljust(10 * 1024 * 1024, b"\0")  # a decoder skips what follows the end
    assert np.array_equal(read(largest).square, read(small).square)
    assert FIELD.estimate_memory(largest) > 0
    assert FIELD.estimate_memory(largest + b"\0") == 0
    with pytest.raises(PydanticCustomError, match="must be 10 MB or less"):
        read(largest + b"\0")


@pytest.mark.parametrize(
    "data",
    [
        pictures.encoded(pictures.chest()),
        pictures.encoded(pictures.chest(), "JPEG", quality=95),
        pictures.encoded(pictures.chest().convert("RGB")),
        pictures.encoded(pictures.chest().convert("RGB"), "JPEG", quality=95),
        pictures.encoded(pictures.chest().convert("RGB"), "JPEG", quality=95, progressive=True),
        pictures.encoded(pictures.chest().convert("CMYK"), "JPEG", quality=95),
        pictures.encoded(pictures.transparent()),
        pictures.encoded(pictures.chest().convert("LA")),
        pictures.encoded(pictures.palette()),
        pictures.encoded(pictures.chest(), transparency=0),
        pictures.encoded(pictures.chest(), "PNG", save_all=True),
        pictures.rotated(),
        pictures.encoded(pictures.chest().convert("RGB"), "WEBP", quality=95),
        pictures.encoded(pictures.chest(), "AVIF", quality=95),
    ],
    ids=["grey", "grey jpeg", "rgb", "rgb jpeg", "progressive", "cmyk", "rgba", "grey and alpha",
         "palette", "one tone transparent", "one frame", "lying on its side", "webp", "avif"],
)  # fmt: skip
def test_a_picture_is_the_same_in_every_mode(data: bytes) -> None:
    found = read(data)
    gap = np.abs(found.square.astype(int) - draw_chest(1).astype(int))
    assert gap.mean() < 2.5
    assert found.colourfulness < 5
    assert (found.width, found.height) == (224, 224)


def test_sixteen_bits_are_stretched_between_their_darkest_and_brightest() -> None:
    square = read(pictures.encoded(pictures.deep())).square
    assert (square.min(), square.max()) == (0, 255)
    drawn = draw_chest(1).astype(float)
    stretched = (drawn - drawn.min()) / (drawn.max() - drawn.min()) * 255
    assert np.abs(square - stretched).max() <= 1


def test_black_and_white_alone_is_read() -> None:
    assert set(np.unique(read(pictures.encoded(pictures.chest().convert("1"))).square)) == {0, 255}


def test_a_hidden_part_is_black_as_the_background_of_an_xray() -> None:
    image = pictures.transparent()
    image.putalpha(0)
    assert read(pictures.encoded(image)).square.max() == 0


@pytest.mark.parametrize("side", [8, 224])
@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "RGB"])
def test_a_hidden_part_keeps_its_colour_where_transparency_is_ignored(mode: str, side: int) -> None:
    """As ``convert`` of Pillow, ``load_img`` of Keras and ``imread`` of OpenCV read a file."""
    opaque = pictures.chest().convert(mode)
    options: dict[str, Any] = {}
    if mode.endswith("A"):
        opaque.putalpha(0)
    else:
        options["transparency"] = (0, 0, 0) if mode == "RGB" else 0
    field = FIELD.model_copy(update={"transparency": "ignored", "side": side})
    found = field.read(pictures.encoded(opaque, **options))
    assert found.image.mode == ("L" if mode in ("L", "LA") else "RGB")
    assert np.abs(found.square.astype(int) - draw_chest(1).astype(int)).mean() < 5


@pytest.mark.parametrize(
    ("kind", "mode"),
    [("PNG", "L"), ("PNG", "RGB"), ("PNG", "RGBA"), ("PNG", "LA"), ("PNG", "P"), ("JPEG", "L"),
     ("JPEG", "RGB"), ("JPEG", "CMYK")],
)  # fmt: skip
def test_a_large_picture_becomes_the_small_one(kind: str, mode: str) -> None:
    large = pictures.chest().resize((2000, 1500), Image.Resampling.BICUBIC).convert(mode)
    found = read(pictures.encoded(large, kind))
    assert np.abs(found.square.astype(int) - draw_chest(1).astype(int)).mean() < 2.5
    assert (found.width, found.height) == (2000, 1500)


@pytest.mark.parametrize(
    ("mode", "size", "kind", "options", "megabytes"),
    [
        ("L", (8000, 5000), "PNG", {}, 40),
        ("I;16", (8000, 5000), "PNG", {}, 80),
        ("RGB", (4000, 3000), "PNG", {}, 48),
        ("P", (4000, 3000), "PNG", {}, 12),
        ("L", (8000, 5000), "JPEG", {}, 0.625),
        ("RGB", (4000, 3000), "JPEG", {}, 3),
        ("L", (8000, 5000), "JPEG", {"progressive": True}, 80.625),
        ("RGB", (4000, 3000), "JPEG", {"progressive": True, "subsampling": 2}, 39),
        ("RGB", (4000, 3000), "JPEG", {"progressive": True, "subsampling": 0}, 75),
        ("RGB", (2000, 1500), "WEBP", {}, 51),
        ("RGB", (2000, 1500), "AVIF", {"speed": 10}, 30),
    ],
)
def test_what_decoding_takes_is_known_before_and_legitimate_pictures_are_read(
    mode: str,
    size: tuple[int, int],
    kind: str,
    options: dict[str, object],
    megabytes: float,
) -> None:
    data = pictures.encoded(Image.new(mode, size), kind, **options)
    assert FIELD.estimate_memory(data) == megabytes * 1_000_000
    assert (read(data).width, read(data).height) == size


@pytest.mark.parametrize("name", sorted(pictures.REFUSED))
def test_what_is_refused_weighs_nothing_or_is_found_damaged_later(name: str) -> None:
    assert FIELD.estimate_memory(pictures.REFUSED[name][0]) in (0, 224 * 224)


def test_a_large_sixteen_bit_picture_becomes_the_small_one() -> None:
    values = np.asarray(pictures.chest().resize((2000, 1500)), dtype=np.uint16) * 16
    found = read(pictures.encoded(Image.fromarray(values)))
    drawn = draw_chest(1).astype(float)
    stretched = (drawn - drawn.min()) / (drawn.max() - drawn.min()) * 255
    assert np.abs(found.square - stretched).mean() < 2.5


@pytest.mark.second_tier
def test_a_very_long_picture_is_read() -> None:
    for size in ((20_000, 500), (500, 20_000)):
        for mode in ("L", "P", "RGBA"):
            found = read(pictures.encoded(pictures.chest().resize(size).convert(mode)))
            assert np.abs(found.square.astype(int) - draw_chest(1).astype(int)).mean() < 4


def test_a_picture_on_its_side_has_the_shape_of_the_upright_one() -> None:
    exif = Image.Exif()
    exif[0x0112] = pictures.SIDEWAYS
    data = pictures.encoded(pictures.chest().resize((300, 200)), "JPEG", exif=exif)
    assert (read(data).width, read(data).height) == (200, 300)


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (223, 225)])
def test_any_shape_is_read(size: tuple[int, int]) -> None:
    assert (read(pictures.encoded(pictures.chest().resize(size))).width) == size[0]


def test_colour_is_measured_and_an_even_tint_is_none() -> None:
    grey = pictures.chest()
    zero = Image.new("L", grey.size)
    tinted = Image.merge("RGB", (grey, grey, grey.point(lambda v: min(255, v + 12))))
    red = Image.merge("RGB", (grey, zero, zero))
    assert read(pictures.encoded(tinted)).colourfulness < 10
    assert read(pictures.encoded(red)).colourfulness > 25


@pytest.mark.parametrize("name", sorted(pictures.REFUSED))
def test_what_cannot_be_looked_at_is_refused_in_words(name: str) -> None:
    data, words = pictures.REFUSED[name]
    with pytest.raises(PydanticCustomError) as raised:
        FIELD.validate_value(data)
    assert raised.value.message() == words


def test_nothing_chosen_is_asked_for() -> None:
    with pytest.raises(PydanticCustomError, match="Choose a picture"):
        FIELD.validate_value(None)


def test_a_bomb_is_refused_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    def decoded(*_: object) -> None:
        raise AssertionError("it was decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", decoded)
    for name in ("bomb", "a little over", "animated", "too many bytes"):
        data, words = pictures.REFUSED[name]
        with pytest.raises(PydanticCustomError) as raised:
            FIELD.validate_value(data)
        assert raised.value.message() == words


@given(st.sampled_from(["PNG", "JPEG"]), st.integers(0, 3000), st.binary(min_size=1, max_size=8))
def test_a_spoilt_file_is_read_or_refused_and_nothing_else(
    kind: str, place: int, bytes_: bytes
) -> None:
    data = bytearray(pictures.encoded(pictures.chest(), kind))
    data[place : place + len(bytes_)] = bytes_
    with suppress(PydanticCustomError):
        read(bytes(data))


def test_a_jpeg_that_is_sampled_not_at_all_is_refused() -> None:
    data = bytearray(pictures.encoded(pictures.chest(), "JPEG", progressive=True))
    frame = data.index(b"\xff\xc2")
    data[frame + 11] = 0  # both sampling factors of its first layer
    with pytest.raises(PydanticCustomError):
        read(bytes(data))


def test_the_bundled_network_answers_the_drawn_chest_and_looks_at_it_in_a_map() -> None:
    model = load_as(PictureModel, ROOT / "model" / "chest_xray")
    (answer,) = model.explain([read(pictures.encoded(pictures.chest()))])
    assert answer.prediction is not None
    assert answer.prediction.label in ("NORMAL", "PNEUMONIA")
    assert answer.prediction.probabilities is not None
    assert math.isclose(sum(answer.prediction.probabilities), 1)
    assert answer.saliency is not None
    assert answer.saliency.shape == (5, 5)
    logit = float(answer.saliency.mean())
    last = answer.prediction.probabilities[-1]
    assert math.isclose(1 / (1 + math.exp(-logit)), last, abs_tol=1e-3)  # the map is the answer


@pytest.mark.parametrize(
    ("start", "part", "most", "end"),
    [
        (b"\xff\xd8", b"\xff\xfe\0\3x", 2000, b"\xff\xda"),
        (b"\xff\xd8\xff", b"\xff\xda", 100, b""),
        (b"\x89PNG\r\n\x1a\n", b"\0\0\0\1tEXtx...1", 19_999, b""),
    ],
)
def test_a_file_may_have_as_many_parts_as_programs_write(
    start: bytes, part: bytes, most: int, end: bytes
) -> None:
    assert not has_too_many_parts(start + part * most + end)
    assert has_too_many_parts(start + part * (most + 1) + end)


@pytest.mark.parametrize("orientation", range(10))
def test_a_picture_is_turned_upright_whichever_way_the_camera_was_held(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = pictures.encoded(pictures.chest().resize((300, 200)), exif=exif)
    found, upright = read(data), ImageOps.exif_transpose(Image.open(BytesIO(data)))
    assert (found.width, found.height) == found.image.size == upright.size
    assert np.array_equal(np.asarray(found.image), np.asarray(upright))


@pytest.mark.parametrize(
    ("size", "factors"),
    [
        ((895, 2000), (1, 2)),  # at most eight sides of the network long
        ((895, 1792), (1, 1)),
        ((1793, 500), (2, 1)),
        ((896, 896), (2, 2)),
        ((2000, 1500), (3, 3)),
        ((500, 5000), (1, 3)),
    ],
)
def test_a_large_picture_is_reduced_by_whole_factors(
    size: tuple[int, int], factors: tuple[int, int]
) -> None:
    image = pictures.chest().resize(size)
    found = read(pictures.encoded(image))
    assert np.array_equal(np.asarray(found.image), np.asarray(image.reduce(factors)))


def test_the_darkest_and_the_brightest_may_stand_anywhere() -> None:
    values = np.full((1800, 1000), 1000, np.uint16)
    values[-1, -1], values[0, 0] = 4000, 500
    found = FIELD.validate_value(pictures.encoded(Image.fromarray(values)))
    middle = (1000 - 500) * 255 // 3500
    assert set(np.unique(np.asarray(found.image)[1:-1])) == {middle}
    even = FIELD.validate_value(pictures.encoded(Image.fromarray(np.full((9, 9), 7, np.uint16))))
    assert set(np.unique(np.asarray(even.image))) == {0}


def test_colour_is_measured_as_hasler_and_suesstrunk_do() -> None:
    def halves(first: str, second: str) -> Image.Image:
        image = Image.new("RGB", (128, 128), first)
        image.paste(second, (0, 0, 64, 128))
        return image

    assert measure_colourfulness(halves("#ff0000", "#00ff00")) == pytest.approx(255)
    assert measure_colourfulness(halves("#000000", "#0000ff")) == pytest.approx(127.5)
    assert measure_colourfulness(halves("#000000", "#ff0000")) == pytest.approx(
        math.hypot(127.5, 63.75)
    )
    assert measure_colourfulness(Image.new("L", (9, 9))) == 0
    assert measure_colourfulness(Image.new("I;16", (9, 9))) == 0


def test_the_side_that_a_network_sees_has_bounds_and_tells_how_far_a_picture_is_reduced() -> None:
    def make(side: int) -> ImageField:
        return ImageField(kind="image", name="image", label="X", noun="x", side=side)

    for side in (7, 2049):
        with pytest.raises(ValidationError, match="\nside\n"):
            make(side)
    data = pictures.encoded(pictures.chest().resize((448, 448)))
    for side, shorter in ((8, 16), (112, 224), (224, 448), (2048, 448)):
        assert make(side).validate_value(data).image.size == (shorter, shorter)
