"""A witnessing office for tests of faults: a real witness behind real HTTP, opened anew from its disk for each term."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from api.witness_app.server import serving
from api.witnesses import open_transport
from ledger.cosignature import Cosigner
from ledger.cosigning import Cosigning, CosigningSettings, WitnessReply, WitnessTransport
from ledger.keys import KeyType
from ledger.policy import Policy
from ledger.reader import LogReader
from ledger.witness.judge import Answer
from ledger.witness.request import parse_request
from ledger.witness.store import Memory
from ledger.witness.witness import Witness
from tests.support.clock import SeededEntropy
from tests.support.ledger import TestLog
from tests.support.ledger_faults import Faults

PATIENT = CosigningSettings(request_seconds=30.0, grace_seconds=0.0)


class Office:
    """One witness, without whose cosignature nothing is published.

    Attributes:
        cosigned: Every size and root that it ever cosigned, whoever got to know it, in this order.
    """

    def __init__(self, folder: Path, log: TestLog) -> None:
        self._log = log
        self._path = folder / "witness.db"
        self._cosigner = Cosigner.generate(
            "witness.example/office", key_type=KeyType.COSIGNATURE_ED25519, entropy=SeededEntropy(31)
        )
        Memory.create(self._path, vkey=self._cosigner.verifier.vkey).add_log(log.signer.verifier)
        self.cosigned: list[tuple[int, bytes]] = []

    @asynccontextmanager
    async def cosigning(self, faults: Faults | None = None) -> AsyncIterator[Cosigning]:
        """Open it, and give the log's side of asking it, with faults on the way."""
        memory = Memory(self._path, vkey=self._cosigner.verifier.vkey)
        witness = _Recording(self._cosigner, memory, clock=self._log.clock)
        witness.record = self.cosigned
        async with serving(witness, host="127.0.0.1", port=0) as url, open_transport() as transport:
            lines = [f"log {self._log.signer.verifier.vkey}", f"witness w {self._cosigner.verifier.vkey} {url}"]
            policy = Policy.parse("\n".join([*lines, "quorum w", ""]))
            way = transport if faults is None else _FaultyWay(transport, faults)
            yield Cosigning(policy, way, LogReader(self._log.folder), clock=self._log.clock, settings=PATIENT)

    def assert_one_history(self) -> None:
        """No size was cosigned with two roots, and none after a larger one."""
        roots: dict[int, bytes] = {}
        for size, root in self.cosigned:
            assert roots.setdefault(size, root) == root, f"two roots of {size}"
        sizes = [size for size, _ in self.cosigned]
        assert sizes == sorted(sizes)
        remembered = Memory(self._path, vkey=self._cosigner.verifier.vkey).logs()[0]
        assert (remembered.size, remembered.root) == self.cosigned[-1]


class _Recording(Witness):
    record: list[tuple[int, bytes]]

    def add_checkpoint(self, body: bytes) -> Answer:
        answer = super().add_checkpoint(body)
        if answer.status == 200:
            checkpoint = parse_request(body).checkpoint
            self.record.append((checkpoint.size, checkpoint.root))
        return answer


class _FaultyWay:
    """The way to a witness, whose calls are counted, and fail."""

    def __init__(self, way: WitnessTransport, faults: Faults) -> None:
        self._way = way
        self._faults = faults

    async def add_checkpoint(self, url: str, body: bytes) -> WitnessReply:
        """Fail or ask."""
        return await self._faults.around("add_checkpoint", lambda: self._way.add_checkpoint(url, body), lambda: None)
