"""Python files with the code that a saved model needs, imported from where they stand."""

import hashlib
import sys
from pathlib import Path
from types import ModuleType


def import_code(path: Path) -> ModuleType:
    """Import a Python file, which runs its code: the caller trusts it, and has checked its hash.

    Its name as a module is made of its content. So two models may have files of one name, a file
    hides no other module, and a changed file is imported anew.

    Raises:
        Exception: whatever its code raises.
    """
    content = path.read_bytes()
    name = f"formcast_{hashlib.sha256(content).hexdigest()}"
    if name in sys.modules:
        return sys.modules[name]
    module = ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module
    try:
        # the import system would rather read a compiled file beside it, whose hash nobody knows
        exec(compile(content, path, "exec"), vars(module))  # noqa: S102
    except BaseException:
        del sys.modules[name]
        raise
    return module
