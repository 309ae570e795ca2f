"""Machine code that is kept on disk, beside the source or in the user's cache folder.

numba tells by a function's own code and file whether what it kept is still right, not by what the function
calls. So what is compiled here has a name that holds a hash of all sources that it is made of.
"""

import functools
import hashlib
import types
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock
from numba import njit
from numba import types as nt

from lrbench.engines.jit import JIT


def cached(
    type: nt.FunctionType, function: Callable, name: str, room: str = "engines"
) -> Callable[..., None]:
    """Compile a function for one signature, or find on disk what was compiled before.

    Of several processes that want it at once, one compiles and the others wait for what it keeps.

    Args:
        name: what it is kept under.
        room: the folder whose sources go into it, beside those of engines/.
    """
    named = types.FunctionType(function.__code__, function.__globals__, name)
    named.__qualname__ = f"{name}_{_sources(room)}"
    signature = type.signature
    try:
        compiled = njit(cache=True, **JIT)(named)
        folder = Path(str(compiled.stats.cache_path))
        with FileLock(folder / f"{named.__qualname__}.lock"):
            compiled.compile(signature)
    except (RuntimeError, OSError):  # no folder to write to, or it is full
        return njit(signature, **JIT)(named)
    compiled.disable_compile()
    return compiled


@functools.cache
def _sources(room: str) -> str:
    """Return a hash of all sources of a room and of engines/."""
    package = Path(__file__).parents[1]
    paths = sorted(path for folder in {"engines", room} for path in package.glob(f"{folder}/*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()[:12]
