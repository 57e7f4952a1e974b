"""The sender of `bench_upload.py`, in a process of its own: so many streams at once, each one body, as fast as it goes.

Bodies come from one file by `sendfile`, so that the sender costs little beside the server. Each begins with a block of
its own: no two are the same file to a service that knows files by their content. Everything but the bodies is prepared
before the clock starts: connections, uploads announced, digests for the manifests. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import socket
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

sys.path.insert(0, str(Path(__file__).parents[1]))

from evidence.core.digest import ClipHasher
from evidence.core.wire.manifest import Manifest
from tests.support.parties import PaperDock, file_of, paper_dock

BLOCK_BYTES = 1 << 20
_TUS = "Tus-Resumable: 1.0.0\r\n"
_ANSWER_BYTES_MAX = 1 << 20


@dataclass
class Timing:
    """Of one stream: when its body began, when its last byte was handed over, when it was answered, when receipted."""

    began: float = 0.0
    sent: float = 0.0
    answered: float = 0.0
    receipted: float = 0.0


class Link:
    """One connection, spoken to in plain HTTP/1.1."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.host = f"{parts.hostname}:{parts.port}"
        self._socket = socket.create_connection((parts.hostname or "", parts.port or 80))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # So that the last byte is on its way when it was handed over, and does not wait here behind megabytes.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 18)

    def say(self, method: str, path: str, headers: str, body: bytes = b"") -> None:
        """Send the head of a request, and a small body."""
        head = f"{method} {path} HTTP/1.1\r\nHost: {self.host}\r\n{headers}\r\n"
        self._socket.sendall(head.encode() + body)

    def send_file(self, handle: int, size: int) -> None:
        """Send the first bytes of a file."""
        done = 0
        while done < size:
            done += os.sendfile(self._socket.fileno(), handle, done, min(size - done, 1 << 26))

    def send(self, data: bytes) -> None:
        """Send bytes of a body."""
        self._socket.sendall(data)

    def hear(self) -> tuple[int, dict[str, str]]:
        """Read an answer to its end; return status and headers.

        Raises:
            RuntimeError: It is no success.
        """
        raw = b""
        while b"\r\n\r\n" not in raw:
            piece = self._socket.recv(65536)
            if not piece or len(raw) > _ANSWER_BYTES_MAX:
                raise RuntimeError(f"no answer: {raw!r}")
            raw += piece
        head, _, body = raw.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        while len(body) < int(headers.get("content-length", 0)):
            body += self._socket.recv(65536)
        code = int(status.split()[1])
        if code >= 300:
            raise RuntimeError(f"{status}: {body[:500]!r}")
        return code, headers


class Stream:
    """One body for one kind of server.

    Args:
        kind: `put`, `tus` or `shilu`.
        url: Where bodies are put, or uploads announced.
    """

    def __init__(self, kind: str, url: str, body: Path, *, number: int, origin: str) -> None:
        self._kind, self._url, self._origin, self._number = kind, url, origin, number
        self._block = number.to_bytes(8, "big") + os.urandom(BLOCK_BYTES - 8)
        self._handle = os.open(body, os.O_RDONLY)
        self._rest = body.stat().st_size - BLOCK_BYTES
        self._dock: PaperDock = paper_dock(1)
        self._manifest = b""
        self._upload = ""
        self.timing = Timing()
        self.link = Link(url)

    def prepare(self) -> None:
        """Announce the upload and make whatever its end needs."""
        size = self._rest + BLOCK_BYTES
        self._path = f"{urlsplit(self._url).path}{self._number}-{os.urandom(4).hex()}"
        if self._kind == "put":
            return
        name = f"DCIM/{os.urandom(6).hex()}.mp4"
        metadata, headers = {"filename": name}, ""
        if self._kind == "shilu":
            inventory = self._dock.inventory(file_of(name, size=size))
            note = self._dock.inventory_note(inventory)
            self.link.say(
                "POST", "/v1/inventories", self._as_dock(f"Content-Type: text/plain\r\n{_length(note)}"), note
            )
            self.link.hear()
            metadata = {"inventory": str(inventory.id), "path": name, "recorder": self._dock.recorder}
            headers = self._as_dock("")
        pairs = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in metadata.items())
        headers += f"{_TUS}Upload-Length: {size}\r\nUpload-Metadata: {pairs}\r\nContent-Length: 0\r\n"
        self.link.say("POST", urlsplit(self._url).path, headers)
        self._path = urlsplit(self.link.hear()[1]["location"]).path
        if self._kind == "shilu":
            self._manifest = self._sign_manifest(inventory.id, name)

    def run(self) -> None:
        """Send the body and wait for what the server says; the clock of `timing` runs."""
        size = self._rest + BLOCK_BYTES
        self.timing.began = time.monotonic()
        if self._kind == "put":
            self.link.say("PUT", self._path, f"Content-Length: {size}\r\n")
        else:
            headers = self._as_dock("") if self._kind == "shilu" else ""
            headers += f"{_TUS}Upload-Offset: 0\r\nContent-Type: application/offset+octet-stream\r\n"
            self.link.say("PATCH", self._path, f"{headers}Content-Length: {size}\r\n")
        self.link.send(self._block)
        self.link.send_file(self._handle, self._rest)
        self.timing.sent = time.monotonic()
        self.link.hear()
        self.timing.answered = time.monotonic()
        if self._manifest:
            id_ = self._path.rpartition("/")[2]
            headers = self._as_dock(f"Content-Type: text/plain\r\n{_length(self._manifest)}")
            self.link.say("POST", f"/v1/uploads/{id_}/manifest", headers, self._manifest)
            if self.link.hear()[0] == 200:
                self.timing.receipted = time.monotonic()

    def _sign_manifest(self, inventory: UUID, name: str) -> bytes:
        hasher = ClipHasher()
        hasher.update(self._block)
        left, offset = self._rest, 0
        while left:
            piece = os.pread(self._handle, min(left, 1 << 22), offset)
            hasher.update(piece)
            left, offset = left - len(piece), offset + len(piece)
        return self._dock.manifest_note(
            Manifest(
                upload=UUID(self._path.rpartition("/")[2]),
                dock=self._dock.dock,
                inventory=inventory,
                recorder=self._dock.recorder,
                path=name,
                digest=hasher.digest(),
            )
        )

    def _as_dock(self, headers: str) -> str:
        return f"Authorization: Bearer {self._dock.token(origin=self._origin)}\r\n{headers}"


def _length(body: bytes) -> str:
    return f"Content-Length: {len(body)}\r\n"


def main() -> None:
    """Send, and print when everything happened, in seconds from the first byte."""
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=("put", "tus", "shilu"))
    parser.add_argument("url")
    parser.add_argument("body", type=Path)
    parser.add_argument("--streams", type=int, required=True)
    parser.add_argument("--origin", default="")
    options = parser.parse_args()
    streams = [
        Stream(options.kind, options.url, options.body, number=number, origin=options.origin)
        for number in range(options.streams)
    ]
    for stream in streams:
        stream.prepare()
    failures: list[str] = []

    def run(stream: Stream) -> None:
        try:
            stream.run()
        except (OSError, RuntimeError) as error:
            failures.append(str(error))

    threads = [threading.Thread(target=run, args=(stream,)) for stream in streams]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise SystemExit(f"{len(failures)} streams failed: {failures[0]}")
    first = min(stream.timing.began for stream in streams)
    print(
        json.dumps(
            {
                "seconds": max(stream.timing.answered for stream in streams) - first,
                "answers": [stream.timing.answered - stream.timing.sent for stream in streams],
                "receipts": [
                    stream.timing.receipted - stream.timing.sent for stream in streams if stream.timing.receipted
                ],
            }
        )
    )


if __name__ == "__main__":
    main()
