"""Waiting for what must come true, however busy the machine is."""

import time
from collections.abc import Callable


def wait_until(
    condition: Callable[[], bool],
    timeout: float = 120,
    pause: Callable[[float], object] = time.sleep,
) -> None:
    """Return as soon as the condition holds.

    Args:
        condition: asked again and again; it must be cheap.
        timeout: seconds after which it will not hold any more.
        pause: waits some seconds between two questions.

    Raises:
        TimeoutError: if it does not hold in time.
    """
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"The condition did not hold within {timeout:g} s.")
        pause(0.02)
