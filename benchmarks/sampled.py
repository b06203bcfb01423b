"""What a sampling profiler saw, by layer: kernel, libuv, the interpreter, our own code. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

# perf script prints the symbol and, in parentheses, the file that it is in.
_LINE = re.compile(r"^\s*[0-9a-f]+ (?P<function>.*) \((?P<file>[^()]*(?:\([^()]*\))?[^()]*)\)\s*$")

KERNEL = "kernel"
OURS = "gateway, compiled"
UVLOOP = "uvloop and libuv"
EVALUATION = "interpreter: evaluation and calls"
MEMORY = "interpreter: memory"
REGEX = "interpreter: regular expressions"
OBJECTS = "interpreter: bytes, dicts and other objects"
LIBRARIES = "system libraries"
PROGRAM = "the program itself"

_EVALUATION = re.compile(
    r"_PyEval|PyEval|_PyFunction_Vectorcall|PyObject_Vectorcall|_PyObject_(Vectorcall|MakeTpCall|"
    r"FastCall)|method_vectorcall|cfunction_vectorcall|_PyObject_GetMethod|_Py_CheckFunctionResult"
    r"|vgetargs|_PyArg_|PyArg_|slot_tp_|_PyFrame|call_function|object_vacall|PyObject_Call"
)
_MEMORY = re.compile(
    r"PyObject_(Malloc|Free|Realloc)|pymalloc|_dealloc|gc_|_PyObject_GC|PyMem_|GC_"
)
_REGEX = re.compile(r"^sre_|_sre|^state_|pattern_|match_")


@dataclass(frozen=True)
class Sample:
    """One look at a process: the function that ran, and the file that has it."""

    function: str
    file: str


def read_samples(text: str) -> list[Sample]:
    """Return what `perf script -F ip,sym,dso` printed."""
    found = []
    for line in text.splitlines():
        match = _LINE.match(line)
        if match is not None:
            function = match["function"].split("+0x")[0].strip()
            found.append(Sample(function, match["file"]))
    return found


def layer_of(sample: Sample) -> str:
    """Return the layer that a sample belongs to."""
    file = sample.file
    if "kernel" in file or file.endswith(".ko") or file == "[vdso]":
        return KERNEL
    if "uvloop" in file:
        return UVLOOP
    if "gateway" in file or "mypyc" in file or sample.function.startswith("CPyDef_"):
        return OURS
    if "python" in file.rpartition("/")[2]:
        return _within_python(sample.function)
    return LIBRARIES if ".so" in file else PROGRAM


def _within_python(function: str) -> str:
    if _REGEX.search(function):
        return REGEX
    if _MEMORY.search(function):
        return MEMORY
    return EVALUATION if _EVALUATION.search(function) else OBJECTS
