"""Pictures that are no chest X-ray, drawn by code: pages, charts, textures, shapes, a landscape."""

from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from model.chest_xray.arrays import Rng

Colour = tuple[int, int, int]

_WORDS = [
    "the", "model", "answers", "what", "is", "on", "the", "screen", "and", "nothing", "else",
    "price", "range", "of", "a", "house", "with", "three", "beds", "two", "baths", "patient",
    "report", "normal", "chest", "view", "date", "hospital", "name", "total", "amount", "invoice",
]  # fmt: skip


def draw_blank(rng: Rng) -> Image.Image:
    """Draw one colour, with or without a little grain."""
    image = make_canvas(rng, random_grey(rng) if rng.random() < 0.6 else random_colour(rng))[0]
    if rng.random() < 0.5:
        return image
    grain = rng.normal(0, rng.uniform(1, 6), (image.height, image.width, 1))
    return Image.fromarray(np.clip(np.asarray(image) + grain, 0, 255).astype(np.uint8))


def draw_text_page(rng: Rng) -> Image.Image:
    """Draw a page of text, dark on light or light on dark."""
    dark = rng.random() < 0.2
    image, draw, width, height = make_canvas(
        rng, random_grey(rng, 0, 40) if dark else random_grey(rng, 215)
    )
    ink = random_grey(rng, 200) if dark else random_grey(rng, 0, 90)
    size = int(rng.integers(9, 30))
    margin = int(rng.uniform(0.02, 0.15) * width)
    for top in range(margin, height - margin, int(size * rng.uniform(1.2, 1.9))):
        if rng.random() < 0.9:
            draw.text(
                (margin, top), _make_line(rng, int(width / size / 3)), ink, font=_load_font(size)
            )
    return image


def draw_screenshot(rng: Rng) -> Image.Image:
    """Draw windows, bars, buttons and labels."""
    tint = random_colour if rng.random() < 0.6 else random_grey
    image, draw, width, height = make_canvas(rng, tint(rng))
    draw.rectangle((0, 0, width, int(height * 0.08)), tint(rng))
    if rng.random() < 0.6:
        draw.rectangle((0, 0, int(width * rng.uniform(0.1, 0.3)), height), tint(rng))
    for _ in range(int(rng.integers(4, 18))):
        left, top = int(rng.uniform(0, 0.8) * width), int(rng.uniform(0.1, 0.9) * height)
        box = (left, top, left + int(rng.uniform(30, 260)), top + int(rng.uniform(12, 160)))
        draw.rounded_rectangle(box, int(rng.integers(0, 10)), tint(rng), tint(rng))
        label = _make_line(rng, int(rng.integers(1, 6)))
        draw.text((left + 5, top + 3), label, tint(rng), font=_load_font(int(rng.integers(9, 20))))
    return image


def draw_chart(rng: Rng) -> Image.Image:
    """Draw bars, lines or points over axes."""
    image, draw, width, height = make_canvas(rng, random_grey(rng, 225))
    draw.line((40, 10, 40, height - 30, width - 10, height - 30), random_grey(rng, 0, 80), 2)
    count = int(rng.integers(4, 30))
    xs = np.linspace(50, width - 30, count)
    ys = rng.uniform(20, height - 40, count)
    kind = rng.integers(3)
    for index in range(count):
        ink = random_colour(rng, 20, 200)
        if kind == 0:
            draw.rectangle((xs[index], ys[index], xs[index] + 120 / count, height - 31), ink)
        elif kind == 1 and index:
            draw.line((xs[index - 1], ys[index - 1], xs[index], ys[index]), (30, 90, 180), 3)
        else:
            draw.ellipse((xs[index] - 4, ys[index] - 4, xs[index] + 4, ys[index] + 4), ink)
    return image


def draw_gradient(rng: Rng) -> Image.Image:
    """Draw a linear or round gradient between two tones."""
    height, width = (int(v) for v in rng.integers(200, 500, 2))
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    if rng.random() < 0.5:
        angle = rng.uniform(0, 2 * np.pi)
        level = (x * np.cos(angle) + y * np.sin(angle)) / 2.8 + 0.5
    else:
        level = np.hypot(x - rng.uniform(-0.5, 0.5), y - rng.uniform(-0.5, 0.5)) / 1.6
    tint = random_grey if rng.random() < 0.6 else random_colour
    tones = np.array([tint(rng), tint(rng)], dtype=float)
    values = tones[0] + np.clip(level, 0, 1)[..., None] * (tones[1] - tones[0])
    return Image.fromarray(values.astype(np.uint8))


def draw_noise(rng: Rng) -> Image.Image:
    """Draw grain of any size, grey or coloured: from television snow to cloudy blobs."""
    shape = [int(v) for v in rng.integers(3, 260, 2)]
    bands = [3] if rng.random() < 0.3 else [1]
    values = np.clip(rng.normal(rng.uniform(80, 170), rng.uniform(20, 90), shape + bands), 0, 255)
    image = Image.fromarray(np.broadcast_to(values, [*shape, 3]).astype(np.uint8).copy())
    return image.resize((320, 320), int(rng.choice([0, 2, 3])))


def draw_clouds(rng: Rng) -> Image.Image:
    """Draw noise with the spectrum of natural pictures, 1/f to some power (Field, 1987)."""
    size = 256
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(size), np.fft.fftfreq(size)))
    frequency[0, 0] = 1
    spectrum = np.fft.fft2(rng.normal(size=(size, size))) / frequency ** rng.uniform(0.8, 2.2)
    field = np.real(np.fft.ifft2(spectrum))
    level = (field - field.mean()) / (field.std() + 1e-9) * rng.uniform(25, 65) + 120
    return Image.fromarray(np.clip(level, 0, 255).astype(np.uint8)).convert("RGB")


def draw_pattern(rng: Rng) -> Image.Image:
    """Draw stripes, chequers or a bar code."""
    y, x = np.mgrid[0:320, 0:320]
    step = int(rng.integers(4, 70))
    kind = rng.integers(4)
    if kind == 0:
        level = (np.sin((x * rng.uniform(-1, 1) + y * rng.uniform(-1, 1)) * 6 / step) + 1) / 2
    elif kind == 1:
        level = ((x // step + y // step) % 2).astype(float)
    elif kind == 2:
        level = np.repeat(rng.random(320 // 4) < 0.5, 4)[None, :].repeat(320, 0).astype(float)
    else:
        cells = rng.random((32, 32)) < 0.5
        level = np.kron(cells, np.ones((10, 10)))
    low, high = sorted(int(v) for v in rng.integers(0, 256, 2))
    return Image.fromarray((low + level * (high - low)).astype(np.uint8)).convert("RGB")


def draw_shapes(rng: Rng) -> Image.Image:
    """Draw a heap of ellipses, boxes and polygons, often blurred."""
    tint = random_grey if rng.random() < 0.6 else random_colour
    image, draw, width, height = make_canvas(rng, tint(rng))
    for _ in range(int(rng.integers(2, 30))):
        x0, x1 = sorted(float(v) for v in rng.uniform(-0.2, 1.2, 2) * width)
        y0, y1 = sorted(float(v) for v in rng.uniform(-0.2, 1.2, 2) * height)
        if rng.random() < 0.5:
            draw.ellipse((x0, y0, x1, y1), tint(rng))
        elif rng.random() < 0.5:
            draw.rectangle((x0, y0, x1, y1), tint(rng))
        else:
            corners = rng.uniform(0, 1, (int(rng.integers(3, 8)), 2)) * (width, height)
            draw.polygon([(float(x), float(y)) for x, y in corners], tint(rng))
    return image.filter(ImageFilter.GaussianBlur(float(rng.choice([0, 0, 2, 6, 15]))))


def draw_landscape(rng: Rng) -> Image.Image:
    """Draw sky, hills and ground, in colour."""
    image, draw, width, height = make_canvas(rng, random_colour(rng, 120, 256))
    for layer in range(int(rng.integers(2, 5))):
        base = height * (0.35 + 0.18 * layer)
        steps = rng.normal(0, height * 0.04, 12).cumsum()
        xs = np.linspace(0, width, 12)
        ridge = [(float(x), float(base + s)) for x, s in zip(xs, steps, strict=True)]
        draw.polygon([*ridge, (width, height), (0, height)], random_colour(rng, 20, 160))
    return image.filter(ImageFilter.GaussianBlur(float(rng.uniform(0, 3))))


def random_colour(rng: Rng, low: int = 0, high: int = 256) -> Colour:
    """Return a random colour, each channel from `low` to below `high`."""
    red, green, blue = (int(v) for v in rng.integers(low, high, 3))
    return red, green, blue


def random_grey(rng: Rng, low: int = 0, high: int = 256) -> Colour:
    """Return a random grey, from `low` to below `high`."""
    value = int(rng.integers(low, high))
    return value, value, value


def make_canvas(rng: Rng, colour: Colour) -> tuple[Image.Image, ImageDraw.ImageDraw, int, int]:
    """Return an empty picture of a random size, what draws on it, its width and its height."""
    width, height = (int(v) for v in rng.integers(260, 700, 2))
    image = Image.new("RGB", (width, height), colour)
    return image, ImageDraw.Draw(image), width, height


def _load_font(size: int) -> Any:
    return ImageFont.load_default(size)


def _make_line(rng: Rng, words: int) -> str:
    return " ".join(rng.choice(_WORDS, words))
