"""The peers of `bench_upload.py`: nginx `PUT`, tusd (Go) and @tus/server (Node), each run where it is at hand.

None of them hashes what it gets, and none waits for the disk: they answer when the bytes are in the page cache. Ours
answers when they are on the disk, and knows two digests of them by then. So the ratios are against an easier task.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

TUSD = "github.com/tus/tusd/v2@v2.8.0"
TUS_NODE = ("@tus/server@2.3.0", "@tus/file-store@2.0.0")
_BUILD_SECONDS_MAX = 900
_NGINX = """
worker_processes 2;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
user {user};
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_max_body_size 0;
    client_body_buffer_size 1m;
    client_body_temp_path {folder}/temp;
    server {{
        listen 127.0.0.1:{port};
        location / {{ root {folder}/files; dav_methods PUT; create_full_put_path on; }}
    }}
}}
"""


class PeerAbsent(Exception):
    """The peer cannot be run here; the text says why."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that takes bodies.

    Attributes:
        kind: How it is spoken to, see `upload_load`.
        url: Where.
        pid: Its process; what it starts counts with it.
        stored: Where the bodies end up, emptied between runs; None for ours, which does not forget.
    """

    kind: str
    url: str
    pid: int
    stored: Path | None
    origin: str = ""


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, *, seconds: float = 30) -> None:
    """Wait until somebody listens.

    Raises:
        PeerAbsent: Nobody does.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise PeerAbsent("it does not listen")


@contextmanager
def nginx(folder: Path) -> Iterator[Server]:
    """Run nginx with its WebDAV module."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        raise PeerAbsent("no nginx at hand")
    port, stored = free_port(), folder / "files"
    stored.mkdir(parents=True)
    config = folder / "nginx.conf"
    config.write_text(_NGINX.format(folder=folder, port=port, user=folder.owner()))
    with _running([program, "-p", str(folder), "-c", str(config), "-g", "daemon off;"], port) as pid:
        yield Server("put", f"http://127.0.0.1:{port}/", pid, stored)


@contextmanager
def tusd(folder: Path) -> Iterator[Server]:
    """Build and run tusd with its file store."""
    go = shutil.which("go")
    if go is None:
        raise PeerAbsent("no Go toolchain at hand")
    source, stored, program = folder / "source", folder / "files", folder / "tusd"
    source.mkdir(parents=True)
    stored.mkdir()
    module, _, _ = TUSD.partition("@")
    _build([go, "mod", "init", "peer"], source)
    _build([go, "get", TUSD], source)
    _build([go, "build", "-mod=mod", "-o", str(program), f"{module}/cmd/tusd"], source)
    port = free_port()
    words = [str(program), "-host=127.0.0.1", f"-port={port}", f"-upload-dir={stored}", "-base-path=/files/"]
    with _running([*words, "-show-greeting=false", "-verbose=false"], port) as pid:
        yield Server("tus", f"http://127.0.0.1:{port}/files/", pid, stored)


@contextmanager
def tus_node(folder: Path) -> Iterator[Server]:
    """Install and run @tus/server with its file store."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        raise PeerAbsent("no Node at hand")
    stored = folder / "files"
    stored.mkdir(parents=True)
    shutil.copy(Path(__file__).parent / "tus_node" / "server.mjs", folder)
    (folder / "package.json").write_text('{"type": "module"}\n')
    _build([npm, "install", "--no-audit", "--no-fund", *TUS_NODE], folder)
    port = free_port()
    with _running([node, str(folder / "server.mjs"), str(stored), str(port)], port) as pid:
        yield Server("tus", f"http://127.0.0.1:{port}/files", pid, stored)


PEERS = {"nginx PUT": nginx, "tusd": tusd, "@tus/server": tus_node}
"""By the name that is printed."""


@contextmanager
def _running(command: list[str], port: int) -> Iterator[int]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for_port(port)
        yield process.pid
    finally:
        process.terminate()
        process.wait(timeout=30)


def _build(command: list[str], folder: Path) -> None:
    try:
        ran = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=_BUILD_SECONDS_MAX, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise PeerAbsent("building took too long") from error
    if ran.returncode:
        raise PeerAbsent(f"it cannot be built: {(ran.stderr.strip() or 'no reason given').splitlines()[-1]}")
