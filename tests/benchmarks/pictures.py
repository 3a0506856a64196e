"""From an uploaded JPEG to its answer, on one core: `python -m tests.benchmarks.pictures`.

`python -m tests.benchmarks.pictures FOLDER` measures the model of another folder.
"""

import resource
import statistics
import sys
import time
from io import BytesIO
from pathlib import Path

from PIL import Image

from app.server.memory import limit_heaps, prepare_fork
from model import PictureModel
from model.chest_xray.drawing import draw_chest
from tests.loading import load_as
from tests.tools import ROOT

SIZES = ((224, 224), (4000, 3000))


def main() -> None:
    """Print CPU time of this thread, in milliseconds, and memory, in MB."""
    import onnxruntime  # noqa: F401  # its own memory and time are not the model's

    limit_heaps()
    resident, started = _read_resident(), time.thread_time()
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "model" / "chest_xray"
    model = load_as(PictureModel, folder)
    loaded = (time.thread_time() - started) * 1000
    prepare_fork()
    print(f"start: {loaded:.0f} ms, {_read_resident() - resident:.0f} MB")
    for size in SIZES:
        file = BytesIO()
        Image.fromarray(draw_chest(1)).resize(size).save(file, "JPEG")
        spent = []
        for _ in range(30):
            started = time.thread_time()
            model.explain([model.card.field.validate_value(file.getvalue())])
            spent.append((time.thread_time() - started) * 1000)
        late = sorted(spent)[int(len(spent) * 0.95)]
        width, height = size
        print(f"{width} x {height}: median {statistics.median(spent):.1f} ms, 95 % {late:.1f} ms")
    print(f"all: {_read_resident() - resident:.0f} MB")


def _read_resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


if __name__ == "__main__":
    main()
