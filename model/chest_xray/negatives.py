"""Pictures that are no chest X-ray: rendered ones, and public ones that ship inside packages.

Needs numpy and Pillow alone; what a package would add is left out where it is not installed.
Nothing here is an X-ray of the set, nor made from one.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

Rng: TypeAlias = np.random.Generator
Colour: TypeAlias = tuple[int, int, int]

_WORDS = [
    "the",
    "model",
    "answers",
    "what",
    "is",
    "on",
    "the",
    "screen",
    "and",
    "nothing",
    "else",
    "price",
    "range",
    "of",
    "a",
    "house",
    "with",
    "three",
    "beds",
    "two",
    "baths",
    "patient",
    "report",
    "normal",
    "chest",
    "view",
    "date",
    "hospital",
    "name",
    "total",
    "amount",
    "invoice",
]


def _colour(rng: Rng, low: int = 0, high: int = 256) -> Colour:
    red, green, blue = (int(v) for v in rng.integers(low, high, 3))
    return red, green, blue


def _grey(rng: Rng, low: int = 0, high: int = 256) -> Colour:
    value = int(rng.integers(low, high))
    return value, value, value


def _canvas(rng: Rng, colour: Colour) -> tuple[Image.Image, ImageDraw.ImageDraw, int, int]:
    width, height = (int(v) for v in rng.integers(260, 700, 2))
    image = Image.new("RGB", (width, height), colour)
    return image, ImageDraw.Draw(image), width, height


def _font(size: int) -> Any:
    return ImageFont.load_default(size)


def _line(rng: Rng, words: int) -> str:
    return " ".join(rng.choice(_WORDS, words))


def blank(rng: Rng) -> Image.Image:
    """One colour, with or without a little grain."""
    image = _canvas(rng, _grey(rng) if rng.random() < 0.6 else _colour(rng))[0]
    if rng.random() < 0.5:
        return image
    grain = rng.normal(0, rng.uniform(1, 6), (image.height, image.width, 1))
    return Image.fromarray(np.clip(np.asarray(image) + grain, 0, 255).astype(np.uint8))


def text_page(rng: Rng) -> Image.Image:
    """A page of text, black on white, or the other way round."""
    dark = rng.random() < 0.2
    image, draw, width, height = _canvas(rng, _grey(rng, 0, 40) if dark else _grey(rng, 215))
    ink = _grey(rng, 200) if dark else _grey(rng, 0, 90)
    size = int(rng.integers(9, 30))
    margin = int(rng.uniform(0.02, 0.15) * width)
    for top in range(margin, height - margin, int(size * rng.uniform(1.2, 1.9))):
        if rng.random() < 0.9:
            draw.text((margin, top), _line(rng, int(width / size / 3)), ink, font=_font(size))
    return image


def screenshot(rng: Rng) -> Image.Image:
    """Windows, bars, buttons and labels."""
    tint = _colour if rng.random() < 0.6 else _grey
    image, draw, width, height = _canvas(rng, tint(rng))
    draw.rectangle((0, 0, width, int(height * 0.08)), tint(rng))
    if rng.random() < 0.6:
        draw.rectangle((0, 0, int(width * rng.uniform(0.1, 0.3)), height), tint(rng))
    for _ in range(int(rng.integers(4, 18))):
        left, top = int(rng.uniform(0, 0.8) * width), int(rng.uniform(0.1, 0.9) * height)
        box = (left, top, left + int(rng.uniform(30, 260)), top + int(rng.uniform(12, 160)))
        draw.rounded_rectangle(box, int(rng.integers(0, 10)), tint(rng), tint(rng))
        label = _line(rng, int(rng.integers(1, 6)))
        draw.text((left + 5, top + 3), label, tint(rng), font=_font(int(rng.integers(9, 20))))
    return image


def chart(rng: Rng) -> Image.Image:
    """Bars, lines or points over axes."""
    image, draw, width, height = _canvas(rng, _grey(rng, 225))
    draw.line((40, 10, 40, height - 30, width - 10, height - 30), _grey(rng, 0, 80), 2)
    count = int(rng.integers(4, 30))
    xs = np.linspace(50, width - 30, count)
    ys = rng.uniform(20, height - 40, count)
    kind = rng.integers(3)
    for index in range(count):
        ink = _colour(rng, 20, 200)
        if kind == 0:
            draw.rectangle((xs[index], ys[index], xs[index] + 120 / count, height - 31), ink)
        elif kind == 1 and index:
            draw.line((xs[index - 1], ys[index - 1], xs[index], ys[index]), (30, 90, 180), 3)
        else:
            draw.ellipse((xs[index] - 4, ys[index] - 4, xs[index] + 4, ys[index] + 4), ink)
    return image


def gradient(rng: Rng) -> Image.Image:
    """A linear or round gradient between two tones."""
    height, width = (int(v) for v in rng.integers(200, 500, 2))
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    if rng.random() < 0.5:
        angle = rng.uniform(0, 2 * np.pi)
        level = (x * np.cos(angle) + y * np.sin(angle)) / 2.8 + 0.5
    else:
        level = np.hypot(x - rng.uniform(-0.5, 0.5), y - rng.uniform(-0.5, 0.5)) / 1.6
    tint = _grey if rng.random() < 0.6 else _colour
    ends = np.array([tint(rng), tint(rng)], dtype=float)
    values = ends[0] + np.clip(level, 0, 1)[..., None] * (ends[1] - ends[0])
    return Image.fromarray(values.astype(np.uint8))


def noise(rng: Rng) -> Image.Image:
    """Grain of any size, grey or coloured: from television snow to cloudy blobs."""
    shape = [int(v) for v in rng.integers(3, 260, 2)]
    bands = [3] if rng.random() < 0.3 else [1]
    values = np.clip(rng.normal(rng.uniform(80, 170), rng.uniform(20, 90), shape + bands), 0, 255)
    image = Image.fromarray(np.broadcast_to(values, [*shape, 3]).astype(np.uint8).copy())
    return image.resize((320, 320), int(rng.choice([0, 2, 3])))


def clouds(rng: Rng) -> Image.Image:
    """Noise with the spectrum of natural pictures, 1/f to some power (Field, 1987)."""
    size = 256
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(size), np.fft.fftfreq(size)))
    frequency[0, 0] = 1
    spectrum = np.fft.fft2(rng.normal(size=(size, size))) / frequency ** rng.uniform(0.8, 2.2)
    field = np.real(np.fft.ifft2(spectrum))
    level = (field - field.mean()) / (field.std() + 1e-9) * rng.uniform(25, 65) + 120
    return Image.fromarray(np.clip(level, 0, 255).astype(np.uint8)).convert("RGB")


def pattern(rng: Rng) -> Image.Image:
    """Stripes, chequers or a bar code."""
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


def shapes(rng: Rng) -> Image.Image:
    """A heap of ellipses, boxes and polygons, often blurred."""
    tint = _grey if rng.random() < 0.6 else _colour
    image, draw, width, height = _canvas(rng, tint(rng))
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


def _fingers(rng: Rng, width: int, height: int) -> list[tuple[np.ndarray, np.ndarray, float]]:
    wrist = np.array([width * rng.uniform(0.42, 0.58), height * rng.uniform(0.75, 0.85)])
    spread = rng.uniform(0.10, 0.22)
    reach = height * rng.uniform(0.5, 0.65)
    fingers = []
    for index, length in enumerate((0.62, 0.92, 1.0, 0.94, 0.75)):
        angle = -np.pi / 2 + (index - 2) * spread * (2.0 if index == 0 else 1.1)
        way = np.array([np.cos(angle), np.sin(angle)])
        fingers.append((wrist + way * reach * 0.15, wrist + way * reach * length, width * 0.045))
    return fingers


def hand(rng: Rng) -> Image.Image:
    """A hand: as a photo (skin on a background), a silhouette, or an X-ray with bones."""
    kind = rng.integers(3)
    if kind == 0:
        back, skin = _colour(rng), (int(rng.integers(150, 240)), int(rng.integers(100, 180)), 110)
    elif kind == 1:
        back, skin = _grey(rng), _grey(rng)
    else:
        back, skin = _grey(rng, 0, 40), _grey(rng, 50, 110)
    image, draw, width, height = _canvas(rng, back)
    fingers = _fingers(rng, width, height)
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
        bone = _grey(rng, 150, 240)
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


def skull(rng: Rng) -> Image.Image:
    """A bright oval with dark holes on black: a head, as an X-ray or a scan shows it."""
    image, draw, width, height = _canvas(rng, _grey(rng, 0, 30))
    x, y = width / 2, height * rng.uniform(0.42, 0.55)
    a, b = width * rng.uniform(0.25, 0.4), height * rng.uniform(0.3, 0.42)
    draw.ellipse((x - a, y - b, x + a, y + b), _grey(rng, 150, 240))
    draw.ellipse((x - a * 0.9, y - b * 0.9, x + a * 0.9, y + b * 0.9), _grey(rng, 70, 170))
    for side in (-0.4, 0.4):
        cx, cy = x + a * side, y + b * rng.uniform(0.0, 0.3)
        draw.ellipse((cx - a / 5, cy - b / 6, cx + a / 5, cy + b / 6), _grey(rng, 20, 120))
    return image.filter(ImageFilter.GaussianBlur(float(rng.uniform(1, 8))))


def limb(rng: Rng) -> Image.Image:
    """One or two long bones in soft tissue: an arm or a leg under X-rays."""
    image, draw, width, height = _canvas(rng, _grey(rng, 0, 40))
    middle, half = width * rng.uniform(0.4, 0.6), width * rng.uniform(0.15, 0.3)
    draw.rectangle((middle - half, 0, middle + half, height), _grey(rng, 60, 130))
    for side in (-0.35, 0.35) if rng.random() < 0.5 else (0.0,):
        x, thick, bone = middle + side * half, half * rng.uniform(0.15, 0.35), _grey(rng, 160, 245)
        gap = height * rng.uniform(0.35, 0.65)
        draw.rectangle((x - thick, 0, x + thick, gap - 5), bone)
        draw.rectangle((x - thick, gap + 5, x + thick, height), bone)
        draw.ellipse((x - thick * 2, gap - thick * 2, x + thick * 2, gap - 3), bone)
        draw.ellipse((x - thick * 2, gap + 3, x + thick * 2, gap + thick * 2), bone)
    image = image.filter(ImageFilter.GaussianBlur(float(rng.uniform(2, 7))))
    return image.rotate(float(rng.uniform(-180, 180)), fillcolor=(10, 10, 10))


def landscape(rng: Rng) -> Image.Image:
    """Sky, hills and ground, in colour."""
    image, draw, width, height = _canvas(rng, _colour(rng, 120, 256))
    for layer in range(int(rng.integers(2, 5))):
        base = height * (0.35 + 0.18 * layer)
        steps = rng.normal(0, height * 0.04, 12).cumsum()
        xs = np.linspace(0, width, 12)
        ridge = [(float(x), float(base + s)) for x, s in zip(xs, steps, strict=True)]
        draw.polygon([*ridge, (width, height), (0, height)], _colour(rng, 20, 160))
    return image.filter(ImageFilter.GaussianBlur(float(rng.uniform(0, 3))))


#: Every kind of rendered picture, by name.
RENDERED: dict[str, Callable[[Rng], Image.Image]] = {
    drawn.__name__: drawn
    for drawn in (
        blank,
        text_page,
        screenshot,
        chart,
        gradient,
        noise,
        clouds,
        pattern,
        shapes,
        hand,
        skull,
        limb,
        landscape,
    )
}

#: Folders of pictures inside packages that pip installs, as (package, folder, pattern).
_PACKAGED = (
    ("skimage", "data", "*.[pgj][nip][gf]"),
    ("skimage", "data", "*.jpeg"),
    ("sklearn", "datasets/images", "*.jpg"),
    ("matplotlib", "mpl-data/sample_data", "*.[jp][pn]g"),
    ("gradio", "media_assets/images", "*.[pgj][nip]*"),
    ("ultralytics", "assets", "*.jpg"),
    ("pygame", "examples/data", "*.[pgj][nip][gf]"),
    ("pygame", "docs/generated/_images", "camera_*.jpg"),
    ("pygame", "docs/generated/_images", "intro*[a-z].[pj][np]g"),
    ("pygame", "docs/generated/_images", "*[a-z].gif"),
)


def _folder(package: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent if spec is not None and spec.origin else None


def packaged() -> Iterator[tuple[str, Image.Image]]:
    """Public pictures inside the installed packages, as (package/file, RGB picture).

    scikit-image, scikit-learn, Matplotlib, PyWavelets, pydicom (MR and CT slices), Gradio,
    Ultralytics and pygame have some; one that is not installed adds none.
    """
    for package, inside, pattern_ in _PACKAGED:
        root = _folder(package)
        for path in sorted((root / inside).glob(pattern_)) if root else ():
            with Image.open(path) as image:
                if min(image.size) >= 90:
                    yield f"{package}/{path.stem}", image.convert("RGB")
    root = _folder("pywt")
    for path in sorted((root / "data").glob("a*.npz")) if root else ():
        values = np.load(path)["data"].astype(np.uint8)
        yield f"pywt/{path.stem}", Image.fromarray(values).convert("RGB")
    root = _folder("pydicom")
    for name in ("CT_small.dcm", "MR_small.dcm") if root else ():
        import pydicom

        assert root is not None
        slice_ = pydicom.dcmread(root / "data/test_files" / name).pixel_array.astype(float)
        low, high = np.percentile(slice_, (1, 99))
        level = np.clip((slice_ - low) / (high - low) * 255, 0, 255).astype(np.uint8)
        yield f"pydicom/{name}", Image.fromarray(level).convert("RGB")


def view(image: Image.Image, rng: Rng) -> Image.Image:
    """A random view of a public picture: cropped, mirrored, turned, lighter or darker."""
    width, height = image.size
    share = rng.uniform(0.45, 1.0, 2)
    left, top = rng.uniform(0, 1, 2) * (1 - share)
    right, bottom = left + share[0], top + share[1]
    image = image.crop(
        (int(left * width), int(top * height), int(right * width), int(bottom * height))
    )
    if rng.random() < 0.5:
        image = ImageOps.mirror(image)
    if rng.random() < 0.25:
        image = image.rotate(90 * int(rng.integers(1, 4)), expand=True)
    if rng.random() < 0.15:
        image = ImageOps.invert(image)
    image = ImageEnhance.Contrast(image).enhance(float(rng.uniform(0.5, 1.4)))
    return ImageEnhance.Brightness(image).enhance(float(rng.uniform(0.7, 1.3)))
