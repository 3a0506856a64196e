"""Type aliases of arrays by what they hold; a docstring gives each array's shape."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]
"""Floats of either precision."""

Float32Array = NDArray[np.float32]
"""The precision that predictors take."""

Float64Array = NDArray[np.float64]
"""The precision for sums."""

IntArray = NDArray[np.int64]

IndexArray = NDArray[np.intp]
"""Indices into another array."""

ByteArray = NDArray[np.uint8]
"""Grey levels of a picture."""

BoolArray = NDArray[np.bool_]
