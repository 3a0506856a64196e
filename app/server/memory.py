"""How much freed memory the processes keep.

An upload needs tens of megabytes for a moment. By default glibc keeps much of them, in a heap for
each thread, so that a server stays large after it was busy once.
"""

import ctypes
import gc

# The parameters of mallopt, from glibc's malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8

LARGE = 512 * 1024
"""Bytes from which on a block is a mapping of its own, which the kernel gets back at once."""

SPARE = 8 * 1024 * 1024
"""Free bytes at the end of the heap that are kept: to fetch them for each request costs time."""


def limit_heaps() -> None:
    """Return large blocks to the kernel at once, and use two heaps; forks inherit both."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):  # not in musl
        libc.mallopt(_MMAP_THRESHOLD, LARGE)
        libc.mallopt(_TRIM_THRESHOLD, SPARE)
        libc.mallopt(_ARENA_MAX, 2)


def prepare_fork() -> None:
    """Return freed memory to the kernel, and keep the garbage collector off what will be shared.

    The collector writes into each object that it visits, and workers no longer share a page of
    memory once one of them writes to it.
    """
    gc.collect()
    gc.freeze()
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):
        libc.malloc_trim(0)
