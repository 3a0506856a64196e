"""What the processes keep of the memory that they had.

An upload needs tens of megabytes for a moment. By default glibc keeps much of that for later, in as
many places as there are threads, so that a server which once was busy stays large.
"""

import ctypes
import gc

# Numbers of mallopt's parameters, from glibc's malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8

LARGE = 512 * 1024
"""Bytes from which on a block is a mapping of its own, gone as soon as it is freed."""

SPARE = 8 * 1024 * 1024
"""Free bytes at the end of the heap that are kept: to fetch them anew for each request costs."""


def prepare() -> None:
    """Let go of large blocks at once, and share two heaps; what is forked later does the same."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):  # not in musl
        libc.mallopt(_MMAP_THRESHOLD, LARGE)
        libc.mallopt(_TRIM_THRESHOLD, SPARE)
        libc.mallopt(_ARENA_MAX, 2)


def settle() -> None:
    """Before a fork: give back what reading the models needed, and leave alone what is shared.

    The collector writes into each object that it looks at, and a page that was written to is no
    longer shared between the workers.
    """
    gc.collect()
    gc.freeze()
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):
        libc.malloc_trim(0)
