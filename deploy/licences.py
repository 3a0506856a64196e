"""``make licences``: the licence of everything that is installed to serve, as a Markdown table.

Read from what the packages say of themselves; run by the interpreter that has them installed.
"""

import re
import sys
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

ROOT = Path(__file__).parent.parent
LONG = 60
"""Characters from which on a licence field holds the text of a licence and not its name."""

OTHERS = [
    ("htmx", "4.0.1, static/htmx.min.js", "0BSD"),
    ("house price data", "model/house_price/sales.csv", "see model/house_price/README.md"),
    ("chest X-ray data", "in the weights of model/chest_xray", "CC BY 4.0"),
]
"""What ships besides packages."""


def pinned(requirements: Path) -> list[tuple[str, str]]:
    """Name and version of every package in a requirements file, in its order."""
    found = re.findall(r"^([a-z0-9-]+)==(\S+)", requirements.read_text(), re.MULTILINE)
    return [(str(name), str(version)) for name, version in found]


def licence_of(name: str) -> str:
    """What a package says of its licence.

    Raises:
        SystemExit: if it says nothing.
    """
    about = metadata(name)
    short = about.get("License-Expression") or about.get("License") or ""
    if short and len(short) < LONG and "\n" not in short:
        return short
    classified = [
        line.rsplit(" :: ", 1)[1]
        for line in about.get_all("Classifier") or []
        if line.startswith("License :: ")
    ]
    if not classified:
        sys.exit(f"{name} does not say under which licence it is.")
    return ", ".join(classified)


def main() -> None:
    """Print the table."""
    print("# Licences of what ships\n")
    print("Written by `make licences` from what each package says of itself.\n")
    print("| package | version | licence |\n|---|---|---|")
    for name, version in pinned(ROOT / "requirements.txt"):
        try:
            print(f"| {name} | {version} | {licence_of(name)} |")
        except PackageNotFoundError:
            print(f"| {name} | {version} | not installed on this platform |")
    for name, where, licence in OTHERS:
        print(f"| {name} | {where} | {licence} |")


if __name__ == "__main__":
    main()
