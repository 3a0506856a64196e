"""Pictures that are no chest X-ray: rendered ones, and public ones that ship inside packages.

They need NumPy and Pillow alone. A package that is not installed adds no picture. Nothing here is
an X-ray of the training set, nor made from one.
"""

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from model.chest_xray import rendered, rendered_anatomy
from model.chest_xray.arrays import Rng

RENDERED: dict[str, Callable[[Rng], Image.Image]] = {
    "blank": rendered.draw_blank,
    "text_page": rendered.draw_text_page,
    "screenshot": rendered.draw_screenshot,
    "chart": rendered.draw_chart,
    "gradient": rendered.draw_gradient,
    "noise": rendered.draw_noise,
    "clouds": rendered.draw_clouds,
    "pattern": rendered.draw_pattern,
    "shapes": rendered.draw_shapes,
    "hand": rendered_anatomy.draw_hand,
    "skull": rendered_anatomy.draw_skull,
    "limb": rendered_anatomy.draw_limb,
    "landscape": rendered.draw_landscape,
}
"""Every kind of rendered picture, by name."""

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
"""Folders of pictures inside packages, as (package, folder, pattern)."""


def read_packaged() -> Iterator[tuple[str, Image.Image]]:
    """Yield the public pictures inside the installed packages, as (package/file, RGB picture).

    scikit-image, scikit-learn, Matplotlib, PyWavelets, pydicom (MR and CT slices), Gradio,
    Ultralytics and pygame have some. A package that is not installed adds none.
    """
    for package, inside, pattern in _PACKAGED:
        root = _find_folder(package)
        for path in sorted((root / inside).glob(pattern)) if root else ():
            with Image.open(path) as image:
                if min(image.size) >= 90:
                    yield f"{package}/{path.stem}", image.convert("RGB")
    root = _find_folder("pywt")
    for path in sorted((root / "data").glob("a*.npz")) if root else ():
        values = np.load(path)["data"].astype(np.uint8)
        yield f"pywt/{path.stem}", Image.fromarray(values).convert("RGB")
    root = _find_folder("pydicom")
    for name in ("CT_small.dcm", "MR_small.dcm") if root else ():
        import pydicom

        assert root is not None
        slice_ = pydicom.dcmread(root / "data/test_files" / name).pixel_array.astype(float)
        low, high = np.percentile(slice_, (1, 99))
        level = np.clip((slice_ - low) / (high - low) * 255, 0, 255).astype(np.uint8)
        yield f"pydicom/{name}", Image.fromarray(level).convert("RGB")


def make_view(image: Image.Image, rng: Rng) -> Image.Image:
    """Return a random view of a public picture: cropped, mirrored, turned, lighter or darker."""
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


def _find_folder(package: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent if spec is not None and spec.origin else None
