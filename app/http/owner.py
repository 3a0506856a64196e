"""Whose page it is: name, logo, colour and links that a host sets, checked at start-up."""

from dataclasses import dataclass
from pathlib import Path

from app.config import SettingError, Settings
from app.http.assets import Asset, make_asset

_MOST_BYTES = 65_536
_PICTURES = (".svg", ".png", ".webp", ".jpg", ".jpeg")
_LIGHT, _DARK = "#f6f4ee", "#131615"
"""``--paper`` in app.css, by light and by dark."""

_LEAST_CONTRAST = 4.5
"""WCAG 2.2, success criterion 1.4.3: of text that is not large."""


@dataclass(frozen=True)
class Owner:
    """What the pages say of who publishes them; "" and None where nothing is set."""

    name: str
    imprint: str
    privacy: str
    footer: str
    logo: Asset | None
    style: Asset | None


def read_owner(settings: Settings, root: str) -> Owner:
    """Read the logo, and make the style sheet of the accent colour.

    Raises:
        SettingError: if the logo cannot be shown, or the colour cannot be read on the page.
    """
    return Owner(
        settings.name,
        settings.imprint,
        settings.privacy,
        settings.footer,
        _read_logo(Path(settings.logo), root) if settings.logo else None,
        _make_style(settings.accent, root) if settings.accent else None,
    )


def _read_logo(path: Path, root: str) -> Asset:
    suffix = path.suffix.lower()
    if suffix not in _PICTURES:
        raise SettingError(
            f"FORMCAST_LOGO is {str(path)!r}. Name a file that ends with {', '.join(_PICTURES)}."
        )
    try:
        body = path.read_bytes()
    except OSError as error:
        raise SettingError(f"FORMCAST_LOGO: {path} cannot be read ({error.strerror}).") from None
    if len(body) > _MOST_BYTES:
        raise SettingError(
            f"FORMCAST_LOGO: {path} has {len(body):,} bytes. Make it smaller than {_MOST_BYTES:,}: "
            "every visitor loads it."
        )
    return make_asset(f"logo{suffix}", body, root)


def _make_style(accent: str, root: str) -> Asset:
    """Make the style sheet of an accent, ``#rrggbb``, with its own shade for dark pages."""
    contrast = _contrast(accent, _LIGHT)
    if contrast < _LEAST_CONTRAST:
        raise SettingError(
            f"FORMCAST_ACCENT is {accent}, which has a contrast of {contrast:.1f} to 1 on the "
            f"page; {_LEAST_CONTRAST} is needed to read it. The nearest that can be read is "
            f"{_move(accent, '#000000', _LIGHT)}."
        )
    dark = _move(accent, "#ffffff", _DARK)
    rules = (
        f":root{{--accent:light-dark({accent},{dark});"
        f"--on-accent:light-dark({_choose_text(accent)},{_choose_text(dark)});"
        "--tint:color-mix(in srgb,var(--accent) 15%,var(--sheet));"
        "--mid:color-mix(in srgb,var(--accent) 55%,var(--sheet))}"
    )
    return make_asset("owner.css", rules.encode(), root)


def _move(colour: str, towards: str, paper: str) -> str:
    """Mix a colour with black or white until it can be read on a paper."""
    start, end = _channels(colour), _channels(towards)
    for percent in range(101):
        mixed = "#" + "".join(
            f"{round(a + (b - a) * percent / 100):02x}" for a, b in zip(start, end, strict=True)
        )
        if _contrast(mixed, paper) >= _LEAST_CONTRAST:
            return mixed
    return towards


def _choose_text(background: str) -> str:
    return max("#ffffff", "#000000", key=lambda text: _contrast(text, background))


def _contrast(first: str, second: str) -> float:
    """The contrast ratio of WCAG 2.2, 1 to 21."""
    low, high = sorted((_luminance(first), _luminance(second)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    """The relative luminance of WCAG 2.2, 0 to 1."""
    parts = [channel / 255 for channel in _channels(colour)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
