"""``make licences``: the licences of all that is installed to serve, as a Markdown table.

The interpreter that has the packages installed reads their metadata.
"""

import re
import sys
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

ROOT = Path(__file__).parent.parent
MAX_NAME = 60
"""A licence field with this many characters or more holds a text, not a name."""

OTHER_PARTS = [
    ("htmx", "4.0.1, static/htmx.min.js", "0BSD"),
    ("house price data", "model/house_price/sales.csv", "see model/house_price/README.md"),
    ("chest X-ray data", "model/chest_xray, its weights and its samples", "CC BY 4.0"),
    ("EfficientNet-Lite0", "the first weights of model/chest_xray", "Apache License 2.0"),
]
"""Parts that ship besides packages: name, place, licence."""


def read_pins(requirements: Path) -> list[tuple[str, str]]:
    """Return name and version of each package in a requirements file, in its order."""
    found = re.findall(r"^([a-z0-9-]+)==(\S+)", requirements.read_text(), re.MULTILINE)
    return [(str(name), str(version)) for name, version in found]


def find_licence(name: str) -> str:
    """Return the licence that a package names.

    Raises:
        SystemExit: the package names none.
    """
    fields = metadata(name)
    licence = fields.get("License-Expression") or fields.get("License") or ""
    if licence and len(licence) < MAX_NAME and "\n" not in licence:
        return licence
    classified = [
        line.rsplit(" :: ", 1)[1]
        for line in fields.get_all("Classifier") or []
        if line.startswith("License :: ")
    ]
    if not classified:
        sys.exit(f"{name} does not name its licence.")
    return ", ".join(classified)


def main() -> None:
    """Print the table."""
    print("# Licences of what ships\n")
    print("Written by `make licences` from the metadata of each package.\n")
    print("| package | version | licence |\n|---|---|---|")
    for name, version in read_pins(ROOT / "requirements.txt"):
        try:
            print(f"| {name} | {version} | {find_licence(name)} |")
        except PackageNotFoundError:
            print(f"| {name} | {version} | not installed on this platform |")
    for name, place, licence in OTHER_PARTS:
        print(f"| {name} | {place} | {licence} |")


if __name__ == "__main__":
    main()
