"""A sampling profiler's lines, read and sorted by layer."""

from __future__ import annotations

import pytest

PRINTED = """
    ffffffff81a3c2b1 tcp_sendmsg_locked ([kernel.kallsyms])
        7f0c1e5a2b10 _PyEval_EvalFrameDefault (/usr/lib/libpython3.11.so.1.0)
        7f0c1e5a2b10 uv__read+0x1d (/usr/lib/uvloop/loop.cpython-311-x86_64-linux-gnu.so)
            55d0a2f3 [unknown] (/usr/sbin/nginx)
not a sample
"""


def test_samples_are_read_line_by_line(load) -> None:
    sampled = load("sampled")
    samples = sampled.read_samples(PRINTED)
    assert [sample.function for sample in samples] == [
        "tcp_sendmsg_locked",
        "_PyEval_EvalFrameDefault",
        "uv__read",
        "[unknown]",
    ]
    assert [sampled.layer_of(sample) for sample in samples] == [
        sampled.KERNEL,
        sampled.EVALUATION,
        sampled.UVLOOP,
        sampled.PROGRAM,
    ]


@pytest.mark.parametrize(
    ("function", "file", "layer"),
    [
        ("__vdso_clock_gettime", "[vdso]", "KERNEL"),
        ("CPyDef_pool___BackendState___lease", "gateway__mypyc.cpython-311.so", "OURS"),
        ("_PyObject_Malloc", "libpython3.11.so.1.0", "MEMORY"),
        ("list_dealloc", "python3.11", "MEMORY"),
        ("sre_ucs1_count", "libpython3.11.so.1.0", "REGEX"),
        ("bytes_split", "libpython3.11.so.1.0", "OBJECTS"),
        ("_PyObject_GetMethod", "python3.11", "EVALUATION"),
        ("__memmove_avx_unaligned_erms", "libc.so.6", "LIBRARIES"),
        ("ngx_http_parse_header_line", "/usr/sbin/nginx", "PROGRAM"),
    ],
)
def test_a_function_belongs_to_a_layer(load, function: str, file: str, layer: str) -> None:
    sampled = load("sampled")
    assert sampled.layer_of(sampled.Sample(function, file)) == getattr(sampled, layer)
