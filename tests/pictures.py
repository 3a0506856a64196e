"""Pictures as visitors send them, all drawn by code: none is an X-ray."""

import struct
import zlib
from functools import cache
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from model.chest_xray.drawing import draw_chest

UPRIGHT, SIDEWAYS = 1, 6
XRAY = "/chest-xray/"
XRAY_FRAGMENT = XRAY + "predict-fragment"


draw_once = cache(draw_chest)


def chest(seed: int = 1) -> Image.Image:
    """Return the drawn chest, 8-bit grey, 224 x 224."""
    return Image.fromarray(draw_once(seed))


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """Return the bytes of a picture's file."""
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def deep() -> Image.Image:
    """Return the chest in 16-bit grey with 12 bits in use."""
    return Image.fromarray(draw_once(1).astype(np.uint16) * 16)


def rotated() -> bytes:
    """Return the chest on its side, with the EXIF mark that tells how to turn it."""
    exif = Image.Exif()
    exif[0x0112] = SIDEWAYS
    lying = chest().transpose(Image.Transpose.ROTATE_90)
    return encoded(lying, "JPEG", quality=95, exif=exif)


def palette() -> Image.Image:
    """Return the chest as colour numbers of a palette."""
    return chest().convert("P")


def transparent() -> Image.Image:
    """Return the chest with an opaque alpha channel."""
    return chest().convert("RGBA")


def animated() -> bytes:
    """Return two chests as one animated PNG."""
    return encoded(chest(), "PNG", save_all=True, append_images=[chest(2)])


def bomb(width: int = 10_000, height: int = 10_000) -> bytes:
    """Return a PNG of a few kilobytes whose header promises many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = zlib.compress(b"\0" * (width + 1) * 8)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", body), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def upload(*contents: bytes, name: str = "chest.jpg") -> dict[str, Any]:
    """Return what a test client posts for these files."""
    return {"image": [(BytesIO(content), name) for content in contents]}


def body(*contents: bytes, name: str = "chest.jpg") -> dict[str, Any]:
    """Return the same as a finished body: for large files the test client would use the disk."""
    head = f'--cut\r\nContent-Disposition: form-data; name="image"; filename="{name}"\r\n\r\n'
    parts = [head.encode() + content + b"\r\n" for content in contents]
    return {
        "data": b"".join(parts) + b"--cut--\r\n",
        "content_type": "multipart/form-data; boundary=cut",
    }


REFUSED: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "Chest X-ray is empty: choose another file"),
    "text": (b"not a picture at all", "Chest X-ray must be a JPEG, PNG, WebP or AVIF file"),
    "svg": (
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "Chest X-ray must be a JPEG, PNG, WebP or AVIF file",
    ),
    "gif renamed": (encoded(chest(), "GIF"), "Chest X-ray must be a JPEG, PNG, WebP or AVIF file"),
    "tiff": (encoded(chest(), "TIFF"), "Chest X-ray must be a JPEG, PNG, WebP or AVIF file"),
    "heic": (
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 99,
        "Chest X-ray must be a JPEG, PNG, WebP or AVIF file",
    ),
    "webp cut short": (
        encoded(chest(), "WEBP")[:400],
        "Chest X-ray is damaged or cut short: choose another file",
    ),
    "animated webp": (
        encoded(chest(), "WEBP", save_all=True, append_images=[chest(2)]),
        "Chest X-ray must be a still picture, not an animation",
    ),
    "avif cut short": (
        encoded(chest(), "AVIF")[:900],
        "Chest X-ray is damaged or cut short: choose another file",
    ),
    "eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n", "Chest X-ray must be a JPEG, PNG, WebP or AVIF file"),
    "animated": (animated(), "Chest X-ray must be a still picture, not an animation"),
    "bomb": (bomb(), "Chest X-ray must have 40 megapixels or less"),
    "a little over": (bomb(8_000, 5_001), "Chest X-ray must have 40 megapixels or less"),
    "too much once decoded": (
        encoded(Image.new("RGBA", (6_000, 4_000)), compress_level=1),
        "Chest X-ray is too large to be opened: save it smaller, or in plain grey",
    ),
    "in a thousand crumbs": (
        encoded(chest())[:33] + b"\0\0\0\0teSt\0\0\0\0" * 20_000 + encoded(chest())[33:],
        "Chest X-ray is damaged or cut short: choose another file",
    ),
    "in countless scans": (
        encoded(chest(), "JPEG", progressive=True) + b"\xff\xda" * 200,
        "Chest X-ray is damaged or cut short: choose another file",
    ),
    "in countless segments": (
        b"\xff\xd8" + b"\xff\xe5\0\2" * 5_000 + encoded(chest(), "JPEG")[2:],
        "Chest X-ray is damaged or cut short: choose another file",
    ),
    "too many bytes": (
        encoded(chest(), "JPEG") + b"\0" * (10 * 1024 * 1024),
        "Chest X-ray must be 10 MB or less",
    ),
    "jpeg cut short": (
        encoded(chest(), "JPEG")[:-900],
        "Chest X-ray is damaged or cut short: choose another file",
    ),
    "png cut short": (
        encoded(chest())[:9_000],
        "Chest X-ray is damaged or cut short: choose another file",
    ),
    "header alone": (
        encoded(chest())[:20],
        "Chest X-ray is damaged or cut short: choose another file",
    ),
}
"""Files that are refused, each with its message."""
