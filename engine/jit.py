"""Compiles kernels to machine code where numba is installed; without it the same functions run as plain Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

Kernel = TypeVar("Kernel", bound=Callable[..., object])

try:
    from numba import njit
except ImportError:
    COMPILED = False

    def kernel(function: Kernel) -> Kernel:
        """The function itself."""
        return function

else:
    COMPILED = True

    def kernel(function: Kernel) -> Kernel:
        """The function as machine code: without the interpreter's lock, kept on disk between runs."""
        return cast(Kernel, njit(nogil=True, cache=True)(function))
