"""Names for arrays by what they hold; their shapes stand in the docstring of whoever takes them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]
"""Numbers of either precision."""

Float32Array = NDArray[np.float32]
"""What predictors take and give."""

Float64Array = NDArray[np.float64]
"""What is worked out with."""

IntArray = NDArray[np.int64]

BoolArray = NDArray[np.bool_]
