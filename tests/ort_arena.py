"""What ONNX Runtime's own arena says of a network: ``python ort_arena.py FILE`` prints bytes.

Only its C interface tells (``AllocatorGetStats``, since 1.23); the library is in the Python package. Its functions
stand in a table in a fixed order, to which new ones are only added. The arena gives exactly what is asked for (no
rounding up to powers of two, chunks split), so that the most it has in use is what is needed at once. Operators are run
as if in parallel, by one thread: else ONNX Runtime keeps a tensor that is done with for a later one of the same shape.
"""

import ctypes
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

API_VERSION = 23
PLACES = {
    "GetErrorMessage": 2,
    "CreateEnv": 3,
    "CreateSession": 7,
    "Run": 9,
    "CreateSessionOptions": 10,
    "SetSessionExecutionMode": 13,
    "SetIntraOpNumThreads": 24,
    "CreateTensorWithDataAsOrtValue": 49,
    "CreateCpuMemoryInfo": 69,
    "AddSessionConfigEntry": 130,
    "CreateAllocator": 131,
    "CreateAndRegisterAllocator": 144,
    "CreateArenaCfgV2": 164,
    "GetKeyValue": 297,
    "AllocatorGetStats": 319,
}
ARENA = {b"max_mem": 0, b"arena_extend_strategy": 1, b"initial_chunk_size_bytes": 4096, b"max_dead_bytes_per_chunk": 1}
POINTER, SIZE = ctypes.c_void_p, ctypes.c_size_t


class Ort:
    """The C interface: ``call`` for what returns a status, ``make`` for what creates something, its last argument."""

    def __init__(self) -> None:
        package = find_spec("onnxruntime")
        assert package
        assert package.submodule_search_locations
        (library,) = (Path(package.submodule_search_locations[0]) / "capi").glob("libonnxruntime.so.*")
        base = ctypes.CDLL(os.fspath(library)).OrtGetApiBase
        base.restype = ctypes.POINTER(POINTER)
        get_api = ctypes.CFUNCTYPE(POINTER, ctypes.c_uint32)(base()[0])
        self._table = ctypes.cast(get_api(API_VERSION), ctypes.POINTER(POINTER))

    def function(self, name: str, result: Any, *arguments: object) -> Any:
        kinds = [type(one) if isinstance(one, ctypes._SimpleCData) else POINTER for one in arguments]
        return ctypes.CFUNCTYPE(result, *kinds)(self._table[PLACES[name]])(*arguments)

    def call(self, name: str, *arguments: object) -> None:
        if status := self.function(name, POINTER, *arguments):
            raise RuntimeError(f"{name}: {self.function('GetErrorMessage', ctypes.c_char_p, POINTER(status))}")

    def make(self, name: str, *arguments: object) -> ctypes.c_void_p:
        made = POINTER()
        self.call(name, *arguments, ctypes.byref(made))
        return made


def peak(file: str) -> int:
    """The most bytes that the first inference of a network has in use in the arena, its weights left out."""
    ort = Ort()
    environment = ort.make("CreateEnv", ctypes.c_int(3), ctypes.c_char_p(b"arena"))
    keys, values = (ctypes.c_char_p * len(ARENA))(*ARENA), (SIZE * len(ARENA))(*ARENA.values())
    arena = ort.make("CreateArenaCfgV2", ctypes.byref(keys), ctypes.byref(values), SIZE(len(ARENA)))
    memory = ort.make("CreateCpuMemoryInfo", ctypes.c_int(1), ctypes.c_int(0))
    ort.call("CreateAndRegisterAllocator", environment, memory, arena)
    options = ort.make("CreateSessionOptions")
    ort.call("SetIntraOpNumThreads", options, ctypes.c_int(1))
    ort.call("SetSessionExecutionMode", options, ctypes.c_int(1))
    entry = ctypes.c_char_p(b"session.use_env_allocators"), ctypes.c_char_p(b"1")
    ort.call("AddSessionConfigEntry", options, *entry)
    session = ort.make("CreateSession", environment, ctypes.c_char_p(file.encode()), options)
    allocator = ort.make("CreateAllocator", session, memory)
    before = _statistic(ort, allocator, b"InUse")
    _run(ort, session, memory)
    return _statistic(ort, allocator, b"MaxInUse") - before


def _run(ort: Ort, session: ctypes.c_void_p, memory: ctypes.c_void_p) -> None:
    image = np.zeros((1, 3, 224, 224), np.float32)
    shape = (ctypes.c_int64 * 4)(*image.shape)
    data = POINTER(image.ctypes.data), SIZE(image.nbytes), ctypes.byref(shape), SIZE(4), ctypes.c_int(1)
    value = (POINTER * 1)(ort.make("CreateTensorWithDataAsOrtValue", memory, *data))
    inputs, outputs = (ctypes.c_char_p * 1)(b"image"), (ctypes.c_char_p * 1)(b"logits")
    given = ctypes.byref(inputs), ctypes.byref(value), SIZE(1), ctypes.byref(outputs), SIZE(1)
    ort.call("Run", session, POINTER(), *given, ctypes.byref((POINTER * 1)()))


def _statistic(ort: Ort, allocator: ctypes.c_void_p, name: bytes) -> int:
    statistics = ort.make("AllocatorGetStats", allocator)
    return int(ort.function("GetKeyValue", ctypes.c_char_p, statistics, ctypes.c_char_p(name)))


if __name__ == "__main__":
    print(peak(sys.argv[1]))
