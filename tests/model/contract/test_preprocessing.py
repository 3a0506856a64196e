"""What a network gets of a picture, number by number."""

from typing import Any

import numpy as np
import pytest

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
