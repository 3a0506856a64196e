"""What is measured of a picture to tell whether it is like the training pictures."""

from pathlib import Path

import numpy as np
import pytest

from model.serving.picture_statistics import (
    PictureStatistics,
    ReducedGaussian,
    describe_thumbnail,
)

GREY = np.repeat(np.repeat(np.arange(64, dtype=np.uint8).reshape(8, 8) * 4, 8, 0), 8, 1)


def test_a_grey_picture_is_its_thumbnail_its_spread_and_its_edges_at_three_scales() -> None:
    found = describe_thumbnail(GREY)
    assert len(found) == 64 + 1 + 6
    assert found[:64] * 64 == pytest.approx(np.arange(64) * 4.0)
    assert np.exp(found[64]) - 1 == pytest.approx(GREY.std())
    steps = np.exp(found[65:]) - 1
    # Between two of the 8 rows lie 32, and 4 between two columns; a scale of 1, 2 and 4 pixels
    # has 63, 31 and 15 borders in a row of which 7 are such ones.
    assert steps == pytest.approx([
        edge * 7 / borders for borders in (63, 31, 15) for edge in (32, 4)
    ])  # fmt: skip


def test_a_picture_in_colour_has_its_spread_in_each_and_how_colourful_it_is() -> None:
    colours = np.stack([GREY, GREY // 2, np.zeros_like(GREY)], axis=-1)
    found = describe_thumbnail(colours)
    assert len(found) == 3 * 64 + 3 + 6 + 1
    spread = np.exp(found[192:195]) - 1
    assert spread == pytest.approx([GREY.std(), GREY.std() / 2, 0])
    assert np.exp(found[-1]) - 1 == pytest.approx(GREY.mean())
    assert np.exp(describe_thumbnail(np.stack([GREY] * 3, -1))[-1]) - 1 == pytest.approx(0)


def test_the_distance_of_a_gaussian_is_that_of_mahalanobis() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(400, 3)) * [4, 2, 1] + [1, 2, 3]
    fitted = ReducedGaussian.fit(values, most=2)
    assert fitted.components.shape == (2, 3)
    assert ReducedGaussian.fit(values).components.shape == (3, 3)
    assert ReducedGaussian.fit(values[:25]).components.shape == (2, 3)  # ten pictures for each
    assert ReducedGaussian.fit(values[:9]).components.shape == (1, 3)
    # Along a component, twice as many standard deviations give four times the squared distance.
    far = [fitted.mean + steps * fitted.components[:1] for steps in (400, 800)]
    near, twice = (np.exp(fitted.measure(point))[0] for point in far)
    assert twice / near == pytest.approx(4, rel=0.01)


def test_a_distance_is_standardised_and_both_count() -> None:
    plain = ReducedGaussian.fit(np.random.default_rng(0).normal(size=(99, 2)))
    shifted = ReducedGaussian(
        plain.mean, plain.components, plain.centre, plain.whitening, location=3.0, scale=2.0
    )
    points = np.array([[0.1, 0.2], [5.0, 5.0]])
    assert shifted.measure(points) == pytest.approx((plain.measure(points) - 3) / 2)
    first, second = np.array([1.0, 4.0]), np.array([3.0, 0.0])
    assert PictureStatistics.combine(first, None) is first
    assert PictureStatistics.combine(first, second).tolist() == [2 + 1.5, 2 + 2]
    both = PictureStatistics(plain, shifted, threshold=0.5)
    expected = PictureStatistics.combine(plain.measure(points), shifted.measure(points)) - 0.5
    assert both.score(points, points) == pytest.approx(expected)
    for alone in (
        both.score(points, None),
        PictureStatistics(plain, None, 0.5).score(points, points),
    ):
        assert alone == pytest.approx(plain.measure(points) - 0.5)


def test_what_is_saved_is_read_again(tmp_path: Path) -> None:
    plain = ReducedGaussian.fit(np.random.default_rng(0).normal(size=(99, 2)))
    points = np.array([[0.1, 0.2], [5.0, 5.0]])
    for embedding in (None, plain):
        kept = PictureStatistics(plain, embedding, threshold=0.25)
        kept.save(tmp_path / "statistics.npz")
        found = PictureStatistics.load(tmp_path / "statistics.npz")
        assert found.score(points, points) == pytest.approx(kept.score(points, points), abs=1e-4)
        assert (found.of_embedding is None) == (embedding is None)
