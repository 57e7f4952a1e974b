"""Vectors of the wire formats: `<kind>/<good or error code>/<what is special>.txt`, and the generator that made them.

`python -m tests.support.wire_vectors` writes them below tests/vectors/wire. A test compares the files with what the
generator makes today, so a change of format cannot pass unseen. Signatures and receipts have a pack of their own.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from ledger.canonical import canonical_json
from ledger.keys import KeyType, PublicKey
from ledger.note import Signer

FOLDER = Path(__file__).resolve().parents[1] / "vectors" / "wire"

Body = dict[str, Any]

DOCK = "01930000-0000-7000-8000-00000000d0c1"
CLIP = "01930000-0000-7000-8000-00000000c11b"
SHA256 = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"

FILE: Body = {
    "path": "DCIM/100MEDIA/DCAM_4A00123_013579_20261121_080000_IMP.mp4",
    "raw": False,
    "size": 104_857_600,
    "modified_at": "2026-11-21T00:05:00.000Z",
    "order": 1,
    "recorded_at": "2026-11-21T00:00:00.000Z",
    "officer": "013579",
    "key_mark": True,
}
INVENTORY: Body = {
    "id": "01930000-0000-7000-8000-000000000001",
    "dock": DOCK,
    "recorder": "4A00123",
    "seen_at": "2026-11-21T01:00:00.000Z",
    "dock_clock": "2026-11-21T01:00:01.500Z",
    "profile": "generic-dcim",
    "files": [FILE, FILE | {"path": "DCIM/现场 检查.jpg", "order": 2, "recorded_at": None, "officer": None}],
}
DOCKING: Body = {
    "docked_at": "2026-11-21T00:59:30.000Z",
    "number": 2,
    "previous": "01930000-0000-7000-8000-000000000000",
    "clock": {"offset_ms": -1250, "uncertainty_ms": 40, "measured_at": "2026-11-21T00:59:00.000Z"},
    "recorder_clock": {"shown": "2026-11-21T00:58:11.000Z", "read_at": "2026-11-21T00:59:31.000Z"},
    "device": {"serial": "4A00123", "volume": "6F2A-11C0", "model": "DSJ-X9", "firmware": None},
}
INVENTORY_2: Body = INVENTORY | {"docking": DOCKING}
MANIFEST: Body = {
    "upload": "01930000-0000-7000-8000-000000000002",
    "dock": DOCK,
    "inventory": INVENTORY["id"],
    "recorder": "4A00123",
    "path": FILE["path"],
    "raw": False,
    "digest": {"size": 1_048_577, "chunk_size": 1_048_576, "chunks": 2, "root": SHA256[::-1], "sha256": SHA256},
}
CLEARED: Body = {
    "dock": DOCK,
    "recorder": "4A00123",
    "at": "2026-11-21T02:00:00.000Z",
    "files": [{"path": FILE["path"], "raw": False, "clip": CLIP, "sha256": SHA256}],
}
BODIES = {"inventory": INVENTORY, "manifest": MANIFEST, "cleared": CLEARED}


def key(number: int, *, dock: str = DOCK) -> str:
    """Return a verifier key of a dock; the seed is the number, repeated."""
    return Signer.generate(f"dock.{dock}", lambda count: bytes([number]) * count).verifier.vkey


DOCK_KEY: Body = {"dock": DOCK, "sequence": 1, "old": key(1), "new": key(2)}
KINDS = (*BODIES, "dock-key", "inventory-2")

PATHS = {
    "wire.path/path-absolute": ("/etc/passwd", False),
    "wire.path/path-climbs-out": ("../../etc/passwd", False),
    "wire.path/path-climbs-inside": ("DCIM/../../x", False),
    "wire.path/path-dot": ("./x.mp4", False),
    "wire.path/path-empty": ("", False),
    "wire.path/path-final-slash": ("DCIM/", False),
    "wire.path/path-double-slash": ("DCIM//x.mp4", False),
    "wire.path/path-nul": ("x\0.mp4", False),
    "wire.path/raw-path-escaped-nul": ("%FF%00", True),
    "wire.path/raw-path-is-utf-8-ascii": ("x.mp4", True),
    "wire.path/raw-path-is-utf-8-escaped": ("%E5%AE%9E", True),
    "wire.path/raw-path-lower-case-escape": ("%ff.mp4", True),
    "wire.path/raw-path-escapes-a-letter": ("%FF%41.mp4", True),
    "wire.path/raw-path-escapes-a-slash": ("%FF%2F..%2Fx", True),
    "wire.path/raw-path-bare-percent": ("%FF 100%.mp4", True),
    "wire.path/raw-path-cut-escape": ("x%F", True),
    "wire.path/raw-path-not-ascii": ("%FF实.mp4", True),
    "wire.limit/path-of-1025-bytes": ("x" * 1025, False),
    "wire.limit/path-of-1026-bytes-in-hanzi": ("实" * 342, False),
    "good/path-of-1024-bytes": ("x" * 1024, False),
    "good/path-of-4-bytes-a-character": ("𠮷田.mp4", False),
    "good/path-with-newline-and-quote": ('a\n"b\\.mp4', False),
    "good/path-not-normalised": ("e\u0301.mp4", False),
    "good/path-with-percent": ("100%25.mp4", False),
    "good/raw-path": ("DCIM/%D6%B4%B7%A8%25.mp4", True),
}


def vectors() -> dict[str, bytes]:
    """Return every vector, path below the folder -> bytes."""
    made: dict[str, bytes] = {}
    for kind, base in BODIES.items():
        for name, content in _of_kind(kind, base):
            path = f"{kind}/{name}.txt"
            assert path not in made, path
            made[path] = content
    for kind, others in (("dock-key", _of_dock_key()), ("inventory-2", _of_inventory_2())):
        made |= {f"{kind}/{name}.txt": content for name, content in others}
    return made


def write_vectors() -> None:
    """Write every vector into the folder and remove what is none."""
    made = vectors()
    for path, content in made.items():
        target = FOLDER / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    for kind in KINDS:
        for found in (FOLDER / kind).rglob("*.txt"):
            if found.relative_to(FOLDER).as_posix() not in made:
                found.unlink()


def statement(kind: str, body: Any) -> bytes:
    """Write a statement without judging it."""
    name = kind.removesuffix("-2")
    return f"shilu/{name}/v{1 if kind == name else 2}\n".encode() + canonical_json(body) + b"\n"


def changed(base: Body, change: Callable[[Body], object]) -> Body:
    """Return a deep copy of a body with one change."""
    body = copy.deepcopy(base)
    change(body)
    return body


def put(body: Body, **fields: Any) -> None:
    """Set fields of a body."""
    body.update(fields)


def drop(*path_and_body: Any) -> None:
    """Remove what a path of keys leads to; the body comes last."""
    *path, name, body = path_and_body
    for key in path:
        body = body[key]
    del body[name]


def _of_kind(kind: str, base: Body) -> Iterator[tuple[str, bytes]]:
    yield "good/plain", statement(kind, base)
    yield from _of_frame(kind, base)
    yield from _of_spelling(kind, base)
    yield from _of_fields(kind, base)
    for name, (path, raw) in PATHS.items():
        yield name, statement(kind, _with_path(base, path, raw))
    yield from _of_names(kind, base)
    yield from {"inventory": _of_inventory, "manifest": _of_manifest, "cleared": _of_cleared}[kind]()


def _with_path(base: Body, path: str, raw: bool) -> Body:
    def change(body: Body) -> None:
        (body["files"][0] if "files" in body else body).update(path=path, raw=raw)

    return changed(base, change)


def _of_frame(kind: str, base: Body) -> Iterator[tuple[str, bytes]]:
    good = statement(kind, base)
    body = canonical_json(base)
    head = f"shilu/{kind}/v1\n".encode()
    other = "manifest" if kind == "inventory" else "inventory"
    yield "wire.version/of-another-kind", statement(other, base)
    yield "wire.version/version-9", good.replace(b"/v1\n", b"/v9\n")
    yield "wire.version/empty", b""
    yield "wire.version/no-version-line", body + b"\n"
    yield "wire.version/line-ends-of-windows", good.replace(b"\n", b"\r\n")
    yield "wire.version/byte-order-mark", b"\xef\xbb\xbf" + good
    yield "wire.version/space-before-it", b" " + good
    yield "wire.version/newline-before-it", b"\n" + good
    yield "wire.malformed/version-line-alone", head
    yield "wire.malformed/version-line-without-newline", head[:-1]
    yield "wire.malformed/no-final-newline", good[:-1]
    yield "wire.malformed/newline-too-many", good + b"\n"
    yield "wire.malformed/two-bodies", good + body + b"\n"
    yield "wire.malformed/bytes-behind-the-body", good[:-1] + b" \n"
    yield "wire.malformed/cut-in-the-middle", good[: len(good) // 2] + b"\n"
    yield "wire.malformed/body-is-an-array", head + b"[" + body + b"]\n"
    yield "wire.malformed/body-is-null", head + b"null\n"
    yield (
        "wire.malformed/spaces-in-the-json",
        head + json.dumps(base, ensure_ascii=False, sort_keys=True).encode() + b"\n",
    )
    yield "wire.malformed/keys-not-sorted", head + b'{"zzz":1,' + body[1:] + b"\n"
    yield "wire.malformed/unknown-field", statement(kind, base | {"note": "x"})
    yield "wire.malformed/deeply-nested", head + b"[" * 3_000 + b"\n"


def _of_fields(kind: str, base: Body) -> Iterator[tuple[str, bytes]]:
    for name in base:
        yield f"wire.malformed/lacks-{name}", statement(kind, {field: base[field] for field in base if field != name})
        yield f"wire.malformed/{name}-is-null", statement(kind, base | {name: None})
        yield f"wire.malformed/{name}-is-a-number", statement(kind, base | {name: 7 if name != "sequence" else "7"})


def _of_spelling(kind: str, base: Body) -> Iterator[tuple[str, bytes]]:
    head, body = f"shilu/{kind}/v1\n".encode(), canonical_json(base)
    yield "wire.malformed/key-twice", head + body[:-1] + b',"recorder":"4A00123"}\n'
    yield "wire.malformed/escape-without-need", head + body.replace(b"DCIM/", b"DCIM\\/") + b"\n"
    yield "wire.malformed/lone-surrogate", head + body.replace(b'"4A00123"', b'"\\ud800"') + b"\n"


def _of_names(kind: str, base: Body) -> Iterator[tuple[str, bytes]]:
    yield "wire.malformed/dock-in-upper-case", statement(kind, base | {"dock": DOCK.upper()})
    yield "wire.malformed/dock-in-braces", statement(kind, base | {"dock": f"{{{DOCK}}}"})
    yield "wire.malformed/dock-without-hyphens", statement(kind, base | {"dock": DOCK.replace("-", "")})
    yield "wire.malformed/dock-is-a-word", statement(kind, base | {"dock": "dock"})
    yield "wire.limit/recorder-empty", statement(kind, base | {"recorder": ""})
    yield "wire.limit/recorder-of-65-characters", statement(kind, base | {"recorder": "x" * 65})
    yield "good/recorder-of-64-characters", statement(kind, base | {"recorder": "记" * 64})
    yield "wire.malformed/recorder-padded", statement(kind, base | {"recorder": "4A00123 "})
    yield "wire.malformed/recorder-with-newline", statement(kind, base | {"recorder": "4A00\n123"})
    yield "wire.malformed/recorder-turned-around", statement(kind, base | {"recorder": "4A\u202e321"})
    yield "wire.malformed/recorder-with-invisible-space", statement(kind, base | {"recorder": "4A\u200b123"})
    yield "wire.malformed/recorder-with-line-separator", statement(kind, base | {"recorder": "4A\u2028123"})


TIMES = {
    "without-milliseconds": "2026-11-21T01:00:00Z",
    "with-offset": "2026-11-21T01:00:00.000+00:00",
    "with-microseconds": "2026-11-21T01:00:00.000000Z",
    "that-does-not-exist": "2026-02-30T01:00:00.000Z",
    "before-1601": "1600-12-31T23:59:59.999Z",
}


def _of_inventory() -> Iterator[tuple[str, bytes]]:
    def of(change: Callable[[Body], object]) -> bytes:
        return statement("inventory", changed(INVENTORY, change))

    def of_file(**fields: Any) -> bytes:
        return of(lambda body: body["files"][0].update(fields))

    yield "good/no-file", of(lambda body: body.update(files=[]))
    yield "good/file-without-a-byte", of_file(size=0)
    yield "good/clock-of-1970", of_file(modified_at="1970-01-01T00:00:00.000Z", recorded_at="1601-01-01T00:00:00.000Z")
    yield "good/size-of-2-to-the-53-less-1", of_file(size=2**53 - 1)
    yield "good/order-with-gaps", of(lambda body: body["files"][1].update(order=1000))
    yield "good/same-text-raw-and-not", of(_same_text_twice)
    for name, time in TIMES.items():
        yield f"wire.malformed/seen-at-{name}", of(partial(put, seen_at=time))
        yield f"wire.malformed/recorded-at-{name}", of_file(recorded_at=time)
    for name in FILE:
        yield f"wire.malformed/file-lacks-{name}", of(partial(drop, "files", 1, name))
        yield f"wire.malformed/file-{name}-is-an-object", of_file(**{name: {}})
    yield "wire.malformed/file-unknown-field", of_file(gps="31.2,121.5")
    yield "wire.malformed/file-is-a-string", of(lambda body: body["files"].append("x.mp4"))
    yield "wire.malformed/files-is-an-object", of(lambda body: body.update(files={}))
    yield "wire.malformed/size-is-true", of_file(size=True)
    yield "wire.malformed/size-is-text", of_file(size="104857600")
    yield "wire.malformed/size-is-a-fraction", of_file(size=7).replace(b'"size":7', b'"size":7.0')
    yield "wire.malformed/size-has-an-exponent", of_file(size=7).replace(b'"size":7', b'"size":7e2')
    yield "wire.malformed/size-of-2-to-the-53", of_file(size=7).replace(b'"size":7', b'"size":9007199254740992')
    yield "wire.malformed/size-of-5000-digits", of_file(size=7).replace(b'"size":7', b'"size":' + b"9" * 5000)
    yield "wire.limit/size-negative", of_file(size=-1)
    yield "wire.limit/order-negative", of_file(order=-1)
    yield "wire.malformed/key-mark-is-1", of_file(key_mark=1)
    yield "wire.malformed/raw-is-0", of_file(raw=0)
    yield "wire.limit/officer-empty", of_file(officer="")
    yield "wire.limit/officer-of-65-characters", of_file(officer="0" * 65)
    yield "wire.malformed/order-equal", of(lambda body: body["files"][1].update(order=1))
    yield "wire.malformed/order-descending", of(lambda body: body["files"].reverse())
    yield "wire.malformed/path-twice", of(lambda body: body["files"][1].update(path=FILE["path"]))


def _same_text_twice(body: Body) -> None:
    body["files"][0].update(path="%FF", raw=True)
    body["files"][1].update(path="%FF", raw=False)


def _of_manifest() -> Iterator[tuple[str, bytes]]:
    def of(**fields: Any) -> bytes:
        return statement("manifest", changed(MANIFEST, lambda body: body["digest"].update(fields)))

    yield "good/one-byte", of(size=1, chunks=1)
    yield "good/exactly-one-chunk", of(size=1_048_576, chunks=1)
    yield "wire.limit/no-byte", of(size=0, chunks=0)
    yield "wire.limit/size-negative", of(size=-1, chunks=0)
    yield "wire.malformed/chunk-too-few", of(chunks=1)
    yield "wire.malformed/chunk-too-many", of(chunks=3)
    yield "wire.malformed/other-chunk-size", of(chunk_size=1_048_577, chunks=1)
    yield "wire.malformed/chunk-size-zero", of(chunk_size=0)
    for name in ("root", "sha256"):
        yield f"wire.malformed/{name}-in-upper-case", of(**{name: SHA256.upper()})
        yield f"wire.malformed/{name}-too-short", of(**{name: SHA256[:-2]})
        yield f"wire.malformed/{name}-too-long", of(**{name: SHA256 + "00"})
        yield f"wire.malformed/{name}-not-hex", of(**{name: "g" * 64})
        yield f"wire.malformed/{name}-in-full-width-digits", of(**{name: "０" * 64})
    for name in MANIFEST["digest"]:
        body = changed(MANIFEST, partial(drop, "digest", name))
        yield f"wire.malformed/digest-lacks-{name}", statement("manifest", body)
    yield "wire.malformed/digest-unknown-field", of(md5="d41d8cd98f00b204e9800998ecf8427e")


def _of_cleared() -> Iterator[tuple[str, bytes]]:
    def of(change: Callable[[Body], object]) -> bytes:
        return statement("cleared", changed(CLEARED, change))

    yield "wire.limit/no-file", of(lambda body: body.update(files=[]))
    yield "wire.malformed/path-twice", of(lambda body: body["files"].append(dict(body["files"][0])))
    yield "wire.malformed/sha256-cut", of(lambda body: body["files"][0].update(sha256=SHA256[:-1]))
    yield "wire.malformed/clip-is-no-uuid", of(lambda body: body["files"][0].update(clip="clip"))
    yield "wire.malformed/file-unknown-field", of(lambda body: body["files"][0].update(why="full"))
    for name, time in TIMES.items():
        yield f"wire.malformed/at-{name}", of(partial(put, at=time))
    for name in CLEARED["files"][0]:
        yield f"wire.malformed/file-lacks-{name}", of(partial(drop, "files", 0, name))


def _of_dock_key() -> Iterator[tuple[str, bytes]]:
    def of(**fields: Any) -> bytes:
        return statement("dock-key", DOCK_KEY | fields)

    yield "good/plain", of()
    yield "good/ten-thousandth-change", of(sequence=10_000)
    yield from _of_frame("dock-key", DOCK_KEY)
    yield from _of_fields("dock-key", DOCK_KEY)
    yield "wire.limit/change-before-the-first", of(sequence=0)
    yield "wire.limit/sequence-negative", of(sequence=-1)
    yield "wire.limit/more-changes-than-allowed", of(sequence=10_001)
    yield "wire.malformed/sequence-is-true", of(sequence=True)
    yield "wire.malformed/old-is-new", of(new=DOCK_KEY["old"])
    yield "wire.malformed/dock-in-upper-case", of(dock=DOCK.upper())
    name, key_id, material = DOCK_KEY["new"].rsplit("+", 2)
    for field in ("old", "new"):
        yield f"wire.malformed/{field}-of-another-dock", of(**{field: key(3, dock=CLIP)})
        yield f"wire.malformed/{field}-of-a-log", of(**{field: Signer.generate("log.test", bytes).verifier.vkey})
        yield f"wire.malformed/{field}-is-empty", of(**{field: ""})
        yield f"wire.malformed/{field}-states-another-key-id", of(**{field: f"{name}+00000000+{material}"})
        yield f"wire.malformed/{field}-with-key-id-in-upper-case", of(**{field: f"{name}+{key_id.upper()}+{material}"})
        yield f"wire.malformed/{field}-cut", of(**{field: DOCK_KEY["new"][:-4]})
        yield f"wire.malformed/{field}-padded", of(**{field: DOCK_KEY["new"] + " "})
        yield f"wire.malformed/{field}-of-a-cosigner", of(**{field: _cosigner_key(name)})
        yield f"wire.malformed/{field}-is-a-signer-key", of(**{field: f"PRIVATE+KEY+{DOCK_KEY['new']}"})


def _cosigner_key(name: str) -> str:
    return PublicKey(name, KeyType.COSIGNATURE_ED25519, bytes(range(32))).vkey


def _of_inventory_2() -> Iterator[tuple[str, bytes]]:
    def of(*path: str, **fields: Any) -> bytes:
        def change(body: Body) -> None:
            place = body["docking"]
            for name in path:
                place = place[name]
            place.update(fields)

        return statement("inventory-2", changed(INVENTORY_2, change))

    yield "good/plain", statement("inventory-2", INVENTORY_2)
    yield "good/first-of-its-recorder", of(number=1, previous=None)
    yield "good/nothing-known", of(clock=None, recorder_clock=None, device=dict.fromkeys(DOCKING["device"]))
    yield "good/dock-a-day-behind", of("clock", offset_ms=-86_400_000)
    yield "good/recorder-clock-of-1970", of("recorder_clock", shown="1970-01-01T00:00:00.000Z")
    yield "wire.malformed/without-docking", statement("inventory-2", INVENTORY)
    yield "wire.malformed/version-1-with-docking", statement("inventory", INVENTORY_2)
    yield "wire.malformed/docking-is-null", statement("inventory-2", INVENTORY | {"docking": None})
    yield "wire.malformed/docking-unknown-field", of(slot="3")
    yield "wire.malformed/first-with-a-previous", of(number=1)
    yield "wire.malformed/second-without-a-previous", of(previous=None)
    yield "wire.limit/number-zero", of(number=0, previous=None)
    yield "wire.limit/number-negative", of(number=-2)
    yield "wire.malformed/number-is-text", of(number="2")
    yield "wire.limit/uncertainty-negative", of("clock", uncertainty_ms=-1)
    yield "wire.malformed/offset-is-a-fraction", of("clock", offset_ms=7).replace(b'_ms":7,', b'_ms":7.5,')
    yield "wire.malformed/offset-is-true", of("clock", offset_ms=True)
    yield (
        "wire.malformed/offset-below-the-limit",
        of("clock", offset_ms=7).replace(b'_ms":7,', b'_ms":-9007199254740992,'),
    )
    yield "wire.malformed/shown-is-null", of("recorder_clock", shown=None)
    yield "wire.limit/serial-of-65-characters", of("device", serial="x" * 65)
    yield "wire.limit/serial-empty", of("device", serial="")
    yield "wire.malformed/model-turned-around", of("device", model="DSJ\u202e9X")
    yield "wire.malformed/device-is-null", of(device=None)
    for name in DOCKING:
        lacking = changed(INVENTORY_2, partial(drop, "docking", name))
        yield f"wire.malformed/docking-lacks-{name}", statement("inventory-2", lacking)
    for name, time in TIMES.items():
        yield f"wire.malformed/docked-at-{name}", of(docked_at=time)


if __name__ == "__main__":
    write_vectors()
