"""How the engine's functions are compiled."""

from numba import njit

# Numbers as numpy has them: a division by 0 is inf and no exception. Nothing is allocated, as all arrays come
# from the caller, who holds them. So numba need not count who uses them ("_nrt"), which costs a tenth of the
# time of small programs and a fifth of the time to compile them.
JIT: dict = {"error_model": "numpy", "nogil": True, "_nrt": False}

# A part of the program need not be callable from Python.
PART: dict = JIT | {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
part = njit(**PART)
