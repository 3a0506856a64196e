"""From an uploaded JPEG to its answer, on one core: `python -m tests.benchmarks.pictures`."""

import statistics
import time
from io import BytesIO

from PIL import Image

from model import PictureModel
from model.chest_xray.drawing import draw_chest
from tests.loading import load_as
from tests.tools import ROOT

SIZES = ((224, 224), (4000, 3000))


def main() -> None:
    """Print median and 95th percentile of the CPU time of this thread, in milliseconds."""
    model = load_as(PictureModel, ROOT / "model" / "chest_xray")
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


if __name__ == "__main__":
    main()
