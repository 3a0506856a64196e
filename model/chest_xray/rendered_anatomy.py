"""Pictures of other parts of a body, drawn by code: hands, skulls and limbs, as X-rays and not."""

from itertools import pairwise

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from model.chest_xray.arrays import Rng
from model.chest_xray.rendered import make_canvas, random_colour, random_grey
from model.contract.arrays import Float64Array


def draw_hand(rng: Rng) -> Image.Image:
    """Draw a hand: as a photo (skin on a background), a silhouette, or an X-ray with bones."""
    kind = rng.integers(3)
    if kind == 0:
        back, skin = (
            random_colour(rng),
            (int(rng.integers(150, 240)), int(rng.integers(100, 180)), 110),
        )
    elif kind == 1:
        back, skin = random_grey(rng), random_grey(rng)
    else:
        back, skin = random_grey(rng, 0, 40), random_grey(rng, 50, 110)
    image, draw, width, height = make_canvas(rng, back)
    fingers = _place_fingers(rng, width, height)
    palm = np.mean([start for start, _, _ in fingers], 0)
    radius = width * rng.uniform(0.13, 0.18)
    draw.ellipse((*(palm - radius * 1.1), *(palm + radius * 1.1)), skin)
    draw.rectangle((palm[0] - radius * 0.7, palm[1], palm[0] + radius * 0.7, height), skin)
    for start, end, thick in fingers:
        draw.line((*start, *end), skin, int(thick * 2))
        draw.ellipse((*(end - thick), *(end + thick)), skin)
    if kind == 2:
        image = image.filter(ImageFilter.GaussianBlur(4))
        draw = ImageDraw.Draw(image)
        bone = random_grey(rng, 150, 240)
        for start, end, thick in fingers:
            stops = np.array([0.0, 0.42, 0.68, 0.86, 1.0])
            for low, high in pairwise(stops):
                a, b = (start + (end - start) * at for at in (low + 0.02, high - 0.02))
                draw.line((*a, *b), bone, int(thick * 0.8))
                for joint in (a, b):
                    draw.ellipse((*(joint - thick * 0.6), *(joint + thick * 0.6)), bone)
        for side in (-0.35, 0.3):
            left = palm[0] + radius * side
            draw.rectangle((left, palm[1], left + radius * 0.35, height), bone)
    image = image.filter(ImageFilter.GaussianBlur(float(rng.uniform(0, 2.5))))
    return image.rotate(float(rng.uniform(-30, 30)), fillcolor=back)


def draw_skull(rng: Rng) -> Image.Image:
    """Draw a bright oval with dark holes on black: a head as an X-ray or a scan shows it."""
    image, draw, width, height = make_canvas(rng, random_grey(rng, 0, 30))
    x, y = width / 2, height * rng.uniform(0.42, 0.55)
    a, b = width * rng.uniform(0.25, 0.4), height * rng.uniform(0.3, 0.42)
    draw.ellipse((x - a, y - b, x + a, y + b), random_grey(rng, 150, 240))
    draw.ellipse((x - a * 0.9, y - b * 0.9, x + a * 0.9, y + b * 0.9), random_grey(rng, 70, 170))
    for side in (-0.4, 0.4):
        cx, cy = x + a * side, y + b * rng.uniform(0.0, 0.3)
        draw.ellipse((cx - a / 5, cy - b / 6, cx + a / 5, cy + b / 6), random_grey(rng, 20, 120))
    return image.filter(ImageFilter.GaussianBlur(float(rng.uniform(1, 8))))


def draw_limb(rng: Rng) -> Image.Image:
    """Draw one or two long bones in soft tissue: an arm or a leg under X-rays."""
    image, draw, width, height = make_canvas(rng, random_grey(rng, 0, 40))
    middle, half = width * rng.uniform(0.4, 0.6), width * rng.uniform(0.15, 0.3)
    draw.rectangle((middle - half, 0, middle + half, height), random_grey(rng, 60, 130))
    for side in (-0.35, 0.35) if rng.random() < 0.5 else (0.0,):
        x, thick, bone = (
            middle + side * half,
            half * rng.uniform(0.15, 0.35),
            random_grey(rng, 160, 245),
        )
        gap = height * rng.uniform(0.35, 0.65)
        draw.rectangle((x - thick, 0, x + thick, gap - 5), bone)
        draw.rectangle((x - thick, gap + 5, x + thick, height), bone)
        draw.ellipse((x - thick * 2, gap - thick * 2, x + thick * 2, gap - 3), bone)
        draw.ellipse((x - thick * 2, gap + 3, x + thick * 2, gap + thick * 2), bone)
    image = image.filter(ImageFilter.GaussianBlur(float(rng.uniform(2, 7))))
    return image.rotate(float(rng.uniform(-180, 180)), fillcolor=(10, 10, 10))


def _place_fingers(
    rng: Rng, width: int, height: int
) -> list[tuple[Float64Array, Float64Array, float]]:
    wrist = np.array([width * rng.uniform(0.42, 0.58), height * rng.uniform(0.75, 0.85)])
    spread = rng.uniform(0.10, 0.22)
    reach = height * rng.uniform(0.5, 0.65)
    fingers = []
    for index, length in enumerate((0.62, 0.92, 1.0, 0.94, 0.75)):
        angle = -np.pi / 2 + (index - 2) * spread * (2.0 if index == 0 else 1.1)
        direction = np.array([np.cos(angle), np.sin(angle)])
        fingers.append(
            (wrist + direction * reach * 0.15, wrist + direction * reach * length, width * 0.045)
        )
    return fingers
