"""A real `shilu-witness`, killed with SIGKILL at random points: what left it is one growing history, remembered."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from ledger.checkpoint import parse_checkpoint
from ledger.cosignature import CosignatureVerifier
from ledger.note import open_note
from tests.support.paper_witness import SIGNER, PaperHistory
from tests.support.witness_process import WitnessProcess

KILLS = 8
MAIN = PaperHistory("main", count=900)
FORK = PaperHistory("fork", count=900)


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[WitnessProcess]:
    made = WitnessProcess(tmp_path / "w", name="witness.example/killed", log_vkey=SIGNER.verifier.vkey)
    yield made
    made.kill()


async def keep_asking(url: str, history: PaperHistory, cosigned: list[tuple[int, bytes, bytes]], seed: int) -> None:
    """Ask as a log would until the witness is gone; keep whatever cosignature came back."""
    chance = random.Random(seed)
    old = 0
    async with aiohttp.ClientSession() as session:
        while True:
            size = min(old + chance.randrange(3), len(history.leaves))
            try:
                async with session.post(f"{url}/add-checkpoint", data=history.request(old, size)) as answer:
                    body = await answer.read()
            except (aiohttp.ClientError, OSError):
                return
            if answer.status == 409:
                old = int(body)
                if old > len(history.leaves):
                    return
            elif answer.status == 200:
                cosigned.append((size, history.root(size), history.note(size) + body))
                old = size
            else:
                await asyncio.sleep(0.01)  # the other history won


@pytest.mark.timeout(300)
async def test_it_never_signs_two_roots_of_a_size_and_never_goes_back(witness: WitnessProcess) -> None:
    chance = random.Random(1)
    verifier = CosignatureVerifier.parse(witness.vkey)
    roots: dict[int, bytes] = {}
    largest = 0
    for life in range(KILLS):
        witness.start()
        cosigned: list[tuple[int, bytes, bytes]] = []
        asking = [
            asyncio.create_task(keep_asking(witness.url, history, cosigned, life)) for history in (MAIN, FORK, MAIN)
        ]
        await asyncio.sleep(0.05 + chance.random() * 0.6)
        witness.kill()
        await asyncio.gather(*asking)
        for size, root, note in cosigned:
            assert parse_checkpoint(open_note(note, [verifier]).text).root == root
            assert roots.setdefault(size, root) == root
            assert size >= largest, "it went back"
        largest = max([largest, *(size for size, _, _ in cosigned)])
        remembered = witness.told("show")["logs"][0]["size"]
        assert (remembered or 0) >= largest, "it cosigned what it does not remember"
        largest = remembered or 0
    assert len(roots) > KILLS, "too little was cosigned to prove anything"
    grown = {size: root for size, root in roots.items() if size}
    assert any(all(history.root(size) == root for size, root in grown.items()) for history in (MAIN, FORK))
