"""The types that the training code shares; shapes stand in the docstrings that use them."""

import numpy as np
from numpy.typing import NDArray

Rng = np.random.Generator
GreyArray = NDArray[np.uint8]
"""One grey picture or a stack of them, 0 to 255."""
