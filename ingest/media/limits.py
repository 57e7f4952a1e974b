"""How much one file may cost before it is given up, and how a process binds itself to that.

`Limits` are values; `confine()` is called once, by the child process, before it touches the file. Linux only.

What binds the child:

1. a lower priority; limits of address space, processor time, size of files, open files; no core dumps (setrlimit(2));
2. it dies with its parent (`PR_SET_PDEATHSIG`), whatever way the parent goes;
3. no new privileges, and a seccomp filter that refuses sockets, new processes and programs, tracing and io_uring: a
   decoder that is taken over can neither call home nor outlive its time. Where a kernel has no seccomp the rest holds.

The parent adds a limit on wall time and one on *progress*: a decoder in an endless loop burns no more than
`idle_seconds`, however long the film is allowed to take.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import signal
import struct
from dataclasses import dataclass
from typing import Self

MEBIBYTE = 1024 * 1024
GIBIBYTE = 1024 * MEBIBYTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one file may cost.

    Attributes:
        memory_bytes: Address space of the child, libraries and thread stacks included.
        cpu_seconds: Processor time, all threads together.
        wall_seconds: Time from start to end.
        idle_seconds: Time without a sign of progress.
        output_bytes: Largest file the child may write.
        open_files: Descriptors.
        threads: Threads for decoding and for encoding; 1 for a worker that runs many files at once.
    """

    memory_bytes: int = 4 * GIBIBYTE
    cpu_seconds: int = 3600
    wall_seconds: int = 4 * 3600
    idle_seconds: int = 60
    output_bytes: int = 8 * GIBIBYTE
    open_files: int = 64
    threads: int = 2

    @classmethod
    def for_size(cls, size: int, *, threads: int = 2) -> Self:
        """Return limits for a file of `size` bytes.

        Measured on sparse footage, the dearest kind per byte: 640x360 at 100 kbit/s takes 5 s of processor time per
        MB. Ten are allowed, and the copy may be eight times as large as the original (old, strong codecs).
        """
        cpu_seconds = 300 + 10 * (size // MEBIBYTE)
        return cls(
            cpu_seconds=cpu_seconds,
            wall_seconds=600 + 4 * cpu_seconds,
            # Moving the index to the front rewrites the copy in one go, on a slow disk at 50 MB/s.
            idle_seconds=60 + size // (50 * MEBIBYTE),
            output_bytes=256 * MEBIBYTE + 8 * size,
            threads=threads,
        )


def confine(limits: Limits, *, parent: int) -> None:
    """Bind the calling process, which must still have a single thread; `parent` is the process it dies with.

    Raises:
        OSError, ValueError: A limit cannot be set.
        SystemExit: The parent is gone already.
    """
    os.umask(0o077)
    os.nice(_NICENESS)
    for name, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_CPU, limits.cpu_seconds),
        (resource.RLIMIT_FSIZE, limits.output_bytes),
        (resource.RLIMIT_NOFILE, limits.open_files),
    ):
        _, hard = resource.getrlimit(name)
        wanted = value if hard == resource.RLIM_INFINITY else min(value, hard)
        # One second between soft and hard, so that the signal that comes first says it was the processor time.
        spare = 1 if name == resource.RLIMIT_CPU and hard == resource.RLIM_INFINITY else 0
        resource.setrlimit(name, (wanted, wanted + spare))
    # A file that grows too large is an error to handle, not a reason to die.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    libc = ctypes.CDLL(None, use_errno=True)
    _prctl(libc, _PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        raise SystemExit(1)
    _prctl(libc, _PR_SET_NO_NEW_PRIVS, 1)
    _refuse_system_calls(libc)


_NICENESS = 10
"""Where processors are short, bytes that come in, answers and the database go before decoding."""

_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 22, 38  # linux/prctl.h
_SECCOMP_MODE_FILTER = 2
_RETURN_ERRNO, _RETURN_ALLOW = 0x00050000, 0x7FFF0000  # linux/seccomp.h
# linux/bpf_common.h: load a word, jump if equal, if greater or equal, if any bit is set; return
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data
_X32_BIT = 0x40000000  # a second way to call the same functions on x86_64
_CLONE_THREAD = 0x00010000  # linux/sched.h


@dataclass(frozen=True, slots=True)
class _Calls:
    """Numbers of system calls on one kind of machine.

    `refused` are socket socketpair bind listen accept connect accept4 sendto sendmsg sendmmsg, execve execveat, fork
    vfork (where they exist), ptrace process_vm_readv process_vm_writev, io_uring_setup.
    """

    audit: int
    clone: int
    clone3: int
    refused: tuple[int, ...]


_CALLS = {
    "x86_64": _Calls(
        audit=0xC000003E,
        clone=56,
        clone3=435,
        refused=(41, 53, 49, 50, 43, 42, 288, 44, 46, 307, 59, 322, 57, 58, 101, 310, 311, 425),
    ),
    "aarch64": _Calls(
        audit=0xC00000B7,
        clone=220,
        clone3=435,
        refused=(198, 199, 200, 201, 202, 203, 242, 206, 211, 269, 221, 281, 117, 270, 271, 425),
    ),
}


class _Program(ctypes.Structure):
    """struct sock_fprog of linux/filter.h."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def _refuse_system_calls(libc: ctypes.CDLL) -> None:
    calls = _CALLS.get(platform.machine())
    if calls is None:
        return
    code = _filter(calls)
    program = _Program(len(code) // 8, code)
    # Kernels without seccomp answer with an error; the other bonds hold.
    libc.prctl(_PR_SET_SECCOMP, ctypes.c_ulong(_SECCOMP_MODE_FILTER), ctypes.byref(program))


def _filter(calls: _Calls) -> bytes:
    """Return a BPF program over struct seccomp_data.

    New threads are allowed, new processes are not. The flags of clone3 lie in memory where a filter cannot look, so the
    kernel is made to seem too old for it, and the C library falls back to clone.
    """
    steps: tuple[tuple[int, str, str, int], ...] = (
        (_LOAD, "", "", _ARCHITECTURE),
        (_EQUAL, "", "refuse", calls.audit),
        (_LOAD, "", "", _NUMBER),
        (_AT_LEAST, "refuse", "", _X32_BIT),
        *((_EQUAL, "refuse", "", number) for number in calls.refused),
        (_EQUAL, "unknown", "", calls.clone3),
        (_EQUAL, "", "allow", calls.clone),
        (_LOAD, "", "", _FIRST_ARGUMENT),
        (_ANY_BIT, "allow", "refuse", _CLONE_THREAD),
    )
    ends = {"allow": _RETURN_ALLOW, "refuse": _RETURN_ERRNO | errno.EPERM, "unknown": _RETURN_ERRNO | errno.ENOSYS}
    places = {label: len(steps) + position for position, label in enumerate(ends)}

    def distance(label: str, position: int) -> int:
        return places[label] - position - 1 if label else 0

    code = [
        struct.pack("=HBBI", operation, distance(holds, position), distance(fails, position), value)
        for position, (operation, holds, fails, value) in enumerate(steps)
    ]
    return b"".join([*code, *(struct.pack("=HBBI", _RETURN, 0, 0, value) for value in ends.values())])


def _prctl(libc: ctypes.CDLL, option: int, value: int) -> None:
    # The arguments are unsigned long; a bare Python integer would be passed as int.
    if libc.prctl(option, ctypes.c_ulong(value), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0)) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
