"""A film that was muxed anew shows the same pictures and is another file: what is proved is the bytes (R17)."""

from __future__ import annotations

from pathlib import Path

import av

from evidence.verify.clip import verify_clip
from ledger.policy import Policy
from tests.support.evidence_folder import NAME, make_evidence_folder
from tests.support.media import Film, packets_of, write


def test_r17_the_same_pictures_muxed_anew_are_found_and_placed(tmp_path: Path) -> None:
    film = write(tmp_path / "film.mp4", film=Film(times_ms=range(0, 1000, 40)))
    folder = make_evidence_folder(tmp_path / "evidence", film.read_bytes())
    with av.open(str(film)) as source, av.open(str(folder.file), "w", options={"movflags": "faststart"}) as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    assert packets_of(folder.file, "video") == packets_of(film, "video"), "not a picture differs"
    policy = Policy.parse(f"log {folder.vkey}\nquorum none\n")
    verification = verify_clip(
        folder.file,
        folder.receipt_file.read_bytes(),
        leaves=(folder.folder / f"{NAME}.leaves").read_bytes(),
        policy=policy,
    )
    (placed,) = [found for found in verification.findings if found.code == "clip.chunks_differ"]
    assert not verification.holds
    assert placed.details["differing"] == 1
