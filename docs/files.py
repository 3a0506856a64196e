"""Print every room of the code with its files, and what each is for: ``make files``."""

import ast
from pathlib import Path

from app.config import ROOT


def list_files() -> str:
    """Every room with the first lines of its docstring and of those of its files."""
    lines = []
    rooms = [
        path.parent for name in ("app", "model") for path in (ROOT / name).rglob("__init__.py")
    ]
    for room in sorted(rooms):
        lines.append(f"\n{room.relative_to(ROOT)}: {_read_purpose(room / '__init__.py')}")
        files = sorted(path for path in room.glob("*.py") if path.name != "__init__.py")
        lines += [f"  {path.name:<28} {_read_purpose(path)}" for path in files]
    return "\n".join(lines).lstrip()


def _read_purpose(path: Path) -> str:
    docstring = ast.get_docstring(ast.parse(path.read_text())) or ""
    return docstring.partition("\n")[0].replace("``", "")


if __name__ == "__main__":
    print(list_files())
