"""What a network gets of a picture, number by number."""

from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from model.contract.preprocessing import Preprocessing

SEEN = np.array([[[0, 51, 255], [255, 102, 0]]], np.uint8)
MEAN, SPREAD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


@pytest.mark.parametrize(
    ("scale", "expected"),
    [
        ("bytes", SEEN),
        ("unit", SEEN / 255),
        ("signed", SEEN / 127.5 - 1),
        ("imagenet", (SEEN / 255 - MEAN) / SPREAD),
        ("inverted", 1 - SEEN / 255),
        ("caffe", SEEN - [123.68, 116.779, 103.939]),
        ("picture", (SEEN - SEEN.mean()) / SEEN.std()),
    ],
)
def test_the_numbers_of_a_colour_are_those_that_the_network_was_trained_on(
    scale: Any, expected: Any
) -> None:
    made = Preprocessing(colour="RGB", layout="NHWC", scale=scale)
    np.testing.assert_allclose(made.to_input(SEEN)[0], expected, rtol=1e-5, atol=1e-5)
    turned = Preprocessing(colour="BGR", layout="NCHW", scale=scale).to_input(SEEN)[0]
    np.testing.assert_allclose(
        turned, np.moveaxis(np.asarray(expected, float)[..., ::-1], -1, 0), rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize(
    ("scale", "expected"),
    [("imagenet", (SEEN[:, :, 1] / 255 - 0.449) / 0.226), ("caffe", SEEN[:, :, 1] - 114.8)],
)
def test_the_numbers_of_grey_are_scaled_by_one_mean(scale: Any, expected: Any) -> None:
    made = Preprocessing(colour="grey", layout="NHW", scale=scale)
    np.testing.assert_allclose(made.to_input(SEEN[:, :, 1])[0], expected, rtol=1e-5)


def test_inverted_levels_are_those_of_numpy_to_the_last_digit() -> None:
    """The threshold of a tree is often a level itself: one digit off, it went the other way."""
    levels = np.arange(256, dtype=np.uint8)[None]
    made = Preprocessing(layout="NHW", scale="inverted").to_input(levels)
    assert (made[0] == (1 - levels / 255).astype(np.float32)).all()


def test_levels_from_0_to_a_number_are_called_so() -> None:
    made = Preprocessing(scale="normalized", mean=(0.0,), spread=(0.0625,))
    assert made.describe_scale() == "0 to 16"


GREY = np.add.outer(np.arange(40), np.arange(60)).astype(np.uint8)
IMAGE = Image.fromarray(GREY)


def test_a_picture_of_another_shape_is_squashed_cut_or_fitted_with_bars() -> None:
    def fit(resize: Any, width: int, height: int) -> Any:
        made = Preprocessing(resize=resize, width=width, height=height)
        return made.fit(IMAGE).astype(int)

    bicubic = Image.Resampling.BICUBIC
    assert (fit("squash", 60, 40) == GREY).all()
    assert (fit("squash", 20, 20) == np.asarray(IMAGE.resize((20, 20), bicubic))).all()
    middle = np.asarray(IMAGE.resize((20, 20), bicubic, (10, 0, 50, 40)))
    assert (fit("crop", 20, 20) == middle).all()
    upright = IMAGE.transpose(Image.Transpose.TRANSPOSE)
    middle = np.asarray(upright.resize((20, 20), bicubic, (0, 10, 40, 50)))
    assert (Preprocessing(resize="crop", width=20, height=20).fit(upright) == middle).all()
    wide = fit("letterbox", 30, 30)
    assert (wide[5:25] == np.asarray(IMAGE.resize((30, 20), bicubic))).all()
    assert (wide[:5] == 0).all()
    assert (wide[25:] == 0).all()
    tall = fit("letterbox", 61, 20)
    assert (tall[:, 15:45] == np.asarray(IMAGE.resize((30, 20), bicubic))).all()
    assert (tall[:, :15] == 0).all()
    assert (tall[:, 45:] == 0).all()
    thin = Preprocessing(resize="letterbox", width=9, height=9)
    assert thin.fit(Image.new("L", (2000, 1), 200))[4].tolist() == [200] * 9


@pytest.mark.parametrize("resize", ["squash", "crop", "letterbox"])
def test_a_smaller_picture_is_made_of_all_pixels_of_four_or_of_one(resize: Any) -> None:
    """Of pixels in turn black and white the mean is grey, and the nearest one is black or white."""
    levels = np.kron([[0, 255], [255, 0]] * 20, np.ones((1, 30))).astype(np.uint8)
    picture = Image.fromarray(np.tile(levels, (3, 2))[:120])

    def fit(interpolation: Any) -> Any:
        made = Preprocessing(width=24, height=24, resize=resize, interpolation=interpolation)
        return made.fit(picture).astype(int)

    assert set(fit("nearest").ravel().tolist()) == {0, 255}
    assert np.abs(fit("bicubic") - 127).max() < 80
    even = np.kron(np.arange(6) * 40, np.ones((12, 2))).astype(np.uint8)
    made = Preprocessing(width=3, height=3, resize=resize, interpolation="bilinear")
    assert made.fit(Image.fromarray(even))[1].tolist() == [20, 100, 180]


def test_levels_are_normalized_by_the_mean_and_the_spread_of_each_channel() -> None:
    grey = Preprocessing(layout="NHW", scale="normalized", mean=(0.1307,), spread=(0.3081,))
    expected = (SEEN[:, :, 1] / 255 - 0.1307) / 0.3081
    np.testing.assert_allclose(grey.to_input(SEEN[:, :, 1])[0], expected, rtol=1e-5)
    levels: dict[str, Any] = {"mean": tuple(MEAN), "spread": tuple(SPREAD), "colour": "RGB"}
    coloured = Preprocessing(scale="normalized", **levels)
    same = Preprocessing(scale="imagenet", colour="RGB")
    np.testing.assert_allclose(coloured.to_input(SEEN), same.to_input(SEEN), rtol=1e-5)
    for wrong in ({"scale": "unit"}, {"scale": "normalized", "colour": "grey"}):
        with pytest.raises(ValidationError, match="a mean and a spread for each channel"):
            Preprocessing.model_validate(levels | wrong)


def test_the_middle_is_what_torchvision_cuts_out_of_a_picture_that_it_scaled() -> None:
    bicubic = Image.Resampling.BICUBIC
    smooth = IMAGE.resize((480, 320), bicubic)
    scaled = smooth.resize((384, 256), bicubic).crop((80, 16, 304, 240))
    found = Preprocessing(resize="center").fit(smooth).astype(int)
    assert np.abs(found - np.asarray(scaled)).max() <= 1


@pytest.mark.parametrize("side", [28, 64, 224])
def test_a_picture_of_any_size_is_cut_within_itself(side: int) -> None:
    made = Preprocessing(resize="crop", width=side, height=side)
    for length in range(1, 400, 3):
        assert (made.fit(Image.new("L", (length, 150), 9)) == 9).all()
        assert (made.fit(Image.new("L", (150, length), 9)) == 9).all()


def test_colours_are_those_that_the_network_sees() -> None:
    red = Image.new("RGB", (4, 3), "#ff0000")
    assert Preprocessing(width=4, height=3).fit(red).tolist() == [[76] * 4] * 3
    seen = Preprocessing(width=4, height=3, colour="RGB").fit(IMAGE.resize((4, 3)))
    assert seen.shape == (3, 4, 3)
    assert (seen[..., 0] == seen[..., 2]).all()


@pytest.mark.parametrize(
    ("colour", "layout", "shape"),
    [
        ("RGB", "NCHW", (1, 3, 1, 2)),
        ("BGR", "NHWC", (1, 1, 2, 3)),
        ("grey", "NCHW", (1, 1, 1, 2)),
        ("grey", "NHWC", (1, 1, 2, 1)),
        ("grey", "NHW", (1, 1, 2)),
    ],
)
def test_bytes_stay_bytes_in_the_order_of_the_input(
    colour: Any, layout: Any, shape: tuple[int, ...]
) -> None:
    made = Preprocessing(colour=colour, layout=layout, type="uint8", scale="imagenet")
    found = made.to_input(SEEN[:, :, 0] if colour == "grey" else SEEN)
    assert found.shape == shape
    assert found.dtype == np.uint8
    assert found.flags.c_contiguous
    first = found.ravel()[0 if colour != "BGR" else 2]
    assert (first, found.max()) == (0, 255)


def test_an_even_picture_has_no_spread_to_divide_by() -> None:
    made = Preprocessing(colour="grey", layout="NHW", scale="picture")
    assert made.to_input(np.full((2, 2), 7, np.uint8)).tolist() == [[[0, 0], [0, 0]]]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "squashed to 224 × 224 pixels, grey, NCHW, numbers from 0 to 1"),
        ({"type": "uint8"}, "squashed to 224 × 224 pixels, grey, NCHW, bytes"),
        (
            {"resize": "crop", "width": 30, "colour": "BGR", "layout": "NHWC", "scale": "signed"},
            "cut to 30 × 224 pixels, in BGR, NHWC, numbers from −1 to 1",
        ),
        (
            {"resize": "center", "scale": "normalized", "mean": (0.1307,), "spread": (0.3081,)},
            "cut to the middle 7/8 and scaled to 224 × 224 pixels, grey, NCHW, numbers from 0 to "
            "1, less 0.1307, divided by 0.3081",
        ),
        (
            {"interpolation": "nearest"},
            "squashed to 224 × 224 pixels, by the nearest pixel, grey, NCHW, numbers from 0 to 1",
        ),
        (
            {"resize": "letterbox", "scale": "picture"},
            "fitted with black bars to 224 × 224 pixels, grey, NCHW, each less the picture's own "
            "mean, divided by its own spread",
        ),
    ],
)
def test_how_pictures_are_prepared_is_told_in_words(changes: dict[str, Any], words: str) -> None:
    assert Preprocessing(**changes).describe() == words


@pytest.mark.parametrize("key", ["width", "height"])
def test_a_side_has_1_to_2048_pixels(key: str) -> None:
    for side in (1, 2048):
        assert getattr(Preprocessing.model_validate({key: side}), key) == side
    for side in (0, 2049):
        with pytest.raises(ValidationError, match=f"\n{key}\n"):
            Preprocessing.model_validate({key: side})
