"""`verify.html` in a real browser: it comes to the same findings as `shilu-verify`, and asks the network for nothing.

Each case is judged twice, by the page and by the Python verifier, and the two reports are compared whole.
"""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from evidence.core.digest import CHUNK_BYTES, digest_file, leaf_hashes
from evidence.core.wire.clip_digest import digest_body
from evidence.verify.findings import OBLIGATIONS
from ledger.canonical import canonical_json
from ledger.cosignature import Cosigner
from ledger.keys import KeyType, PrivateKey
from ledger.proof import LogProof, format_proof, parse_proof
from ledger.tree import leaf_hash, root_of
from tests.support.beginnings import SPOILERS as BEGINNINGS
from tests.support.beginnings import make as make_beginning
from tests.support.browser import Tab
from tests.support.dock_chains import CONTENT as DOCKED_CONTENT
from tests.support.dock_chains import SPOILERS
from tests.support.evidence_folder import (
    NAME,
    EvidenceFolder,
    content_of,
    make_docked_folder,
    make_evidence_folder,
)
from tests.support.excerpts import SPOILERS as EXCERPTS
from tests.support.excerpts import make as make_excerpt
from tests.support.excerpts import proved_leaves
from tests.support.paper_log import ORIGIN, PaperLog, sealed_payload, seeded_signer
from tests.support.receipt_vectors import CONTENT as VECTOR_CONTENT
from tests.support.receipt_vectors import vectors
from tests.support.verify_page import comparable, judge, judge_here
from tests.vectors.generate import AUTHOR, ENTRIES, LOG, POLICY, PROVED
from tests.vectors.generate import vectors as ledger_vectors

CONTENT = content_of()
WITNESS = Cosigner(PrivateKey("witness.example", KeyType.COSIGNATURE_ED25519, bytes(range(32))))
OTHER_WITNESS = Cosigner(PrivateKey("见证.example", KeyType.COSIGNATURE_ED25519, bytes(range(1, 33))))
QUANTUM_WITNESS = Cosigner(PrivateKey("quantum.example", KeyType.COSIGNATURE_MLDSA44, bytes(32)))
GROUP = f"witness 甲 {WITNESS.verifier.vkey}\nwitness 乙 {OTHER_WITNESS.verifier.vkey}\ngroup g all 甲 乙\nquorum g\n"
QUANTUM = f"witness q {QUANTUM_WITNESS.verifier.vkey}\nquorum q\n"
LACKS_QUANTUM = """
    const importKey = crypto.subtle.importKey.bind(crypto.subtle);
    crypto.subtle.importKey = (format, raw, algorithm, ...rest) => algorithm.name === "ML-DSA-44"
        ? Promise.reject(new Error("no such algorithm")) : importKey(format, raw, algorithm, ...rest);
    undefined
"""


@pytest.fixture
def folder(tmp_path: Path) -> EvidenceFolder:
    return make_evidence_folder(tmp_path / "证据 evidence", CONTENT)


def codes(report: dict[str, Any]) -> list[str]:
    """Return the codes of everything that is not in order."""
    return [
        found["code"]
        for item in report["items"]
        for found in item["findings"]
        if found["severity"] != "ok" and found["code"] != "time.none"
    ]


async def test_honest_evidence_is_verified_with_a_key_of_ones_own(tab: Tab, folder: EvidenceFolder) -> None:
    report = await judge(tab, folder.folder, log_key=folder.vkey)
    assert (report["verified"], report["consistent"], report["log_keys_from"]) == (True, True, "caller")
    assert [found["details"]["obligation"] for found in report["items"][0]["findings"]] == list(OBLIGATIONS)
    assert "验证通过" in await tab.evaluate("document.querySelector('.verdict').innerText")


async def test_a_key_that_came_along_is_no_trust(tab: Tab, folder: EvidenceFolder) -> None:
    report = await judge(tab, folder.folder)
    assert (report["verified"], report["consistent"]) == (False, True)
    assert [remark["code"] for remark in report["remarks"]] == ["trust.key_from_package"]
    assert folder.vkey in await tab.evaluate("byId('result').innerText")


def flip(path: Path, offset: int) -> None:
    """Change one bit of a file."""
    raw = bytearray(path.read_bytes())
    raw[offset] ^= 1
    path.write_bytes(raw)


def _proof(folder: EvidenceFolder, **changes: Any) -> None:
    proof: LogProof = replace(parse_proof(folder.receipt.proof), **changes)
    folder.write_receipt(replace(folder.receipt, proof=format_proof(proof)))


def _cosigned(folder: EvidenceFolder, *cosigners: Cosigner, policy: str) -> None:
    proof = parse_proof(folder.receipt.proof)
    text = proof.checkpoint.decode().partition("\n\n")[0] + "\n"
    lines = "".join(one.cosign(text, at=1_800_000_000).line() for one in cosigners)
    _proof(folder, checkpoint=proof.checkpoint + lines.encode())
    folder.policy_file.write_text(f"# 见证\nlog {folder.vkey} https://log.example\n{policy}")


def _false_cosignature(folder: EvidenceFolder) -> None:
    proof = parse_proof(folder.receipt.proof)
    line = WITNESS.cosign(f"{ORIGIN}\n7\n{'A' * 43}=\n", at=1_800_000_000).line()
    _proof(folder, checkpoint=proof.checkpoint + line.encode())
    folder.policy_file.write_text(f"log {folder.vkey}\nwitness w {WITNESS.verifier.vkey}\nquorum none\n")


def _altered_signature(folder: EvidenceFolder) -> None:
    raw = folder.receipt.proof
    start = raw.rindex(b" ") + 20
    folder.write_receipt(replace(folder.receipt, proof=raw[:start] + bytes([raw[start] ^ 1]) + raw[start + 1 :]))


def _many_differences(folder: EvidenceFolder) -> None:
    content = content_of(chunks=44)
    made = make_evidence_folder(folder.folder, content, log=folder.log)
    spoilt = bytearray(content)
    for chunk in range(0, 44, 2):
        spoilt[chunk * CHUNK_BYTES] ^= 1
    made.file.write_bytes(spoilt)


def _forged(folder: EvidenceFolder) -> None:
    make_evidence_folder(folder.folder, b"forged", log=PaperLog(seeded_signer(ORIGIN, "forger")))


def _flipped_without_leaves(folder: EvidenceFolder) -> None:
    flip(folder.file, 0)
    folder.leaves_file.unlink()


def _flipped_with_false_leaves(folder: EvidenceFolder) -> None:
    flip(folder.file, 0)
    flip(folder.leaves_file, 3)


def _slipped_in(folder: EvidenceFolder) -> None:
    (folder.folder / "more").mkdir()
    (folder.folder / "more" / "x.mp4").write_text("x")


CASES: dict[str, Callable[[EvidenceFolder], object]] = {
    "honest": lambda folder: None,
    "without leaves": lambda folder: folder.leaves_file.unlink(),
    "byte flipped": lambda folder: flip(folder.file, CHUNK_BYTES + 77),
    "byte flipped, without leaves": _flipped_without_leaves,
    "last byte flipped": lambda folder: flip(folder.file, len(CONTENT) - 1),
    "many bytes flipped": _many_differences,
    "cut": lambda folder: os.truncate(folder.file, CHUNK_BYTES + 5),
    "emptied": lambda folder: os.truncate(folder.file, 0),
    "longer": lambda folder: folder.file.write_bytes(CONTENT + b"x" * CHUNK_BYTES),
    "another file": lambda folder: folder.file.write_bytes(b"?" * len(CONTENT)),
    "missing": lambda folder: folder.file.unlink(),
    "leaves forged": lambda folder: flip(folder.leaves_file, 3),
    "leaves forged and a byte flipped": _flipped_with_false_leaves,
    "leaves of odd length": lambda folder: folder.leaves_file.write_bytes(bytes(70)),
    "leaves empty": lambda folder: folder.leaves_file.write_bytes(b""),
    "receipt empty": lambda folder: folder.receipt_file.write_bytes(b""),
    "receipt with a byte order mark": lambda folder: folder.receipt_file.write_bytes(
        b"\xef\xbb\xbf" + folder.receipt_file.read_bytes()
    ),
    "payload swapped": lambda folder: folder.write_receipt(
        replace(folder.receipt, payload=canonical_json(sealed_payload(b"other")))
    ),
    "salt swapped": lambda folder: folder.write_receipt(replace(folder.receipt, salt=bytes(32))),
    "proof shortened": lambda folder: _proof(folder, path=()),
    "index altered": lambda folder: _proof(folder, index=2),
    "signature altered": _altered_signature,
    "forged by another key": _forged,
    "slipped in": _slipped_in,
    "our own files": lambda folder: [(folder.folder / name).write_text("x") for name in ("README.txt", "verify.html")],
    "name that turns text around": lambda folder: folder.write_receipt(
        folder.log.record(sealed_payload(CONTENT, name="x\u202e<img src=x onerror=alert(1)>\n7 ✓"))
    ),
    "quorum of ML-DSA": lambda folder: _cosigned(folder, WITNESS, QUANTUM_WITNESS, policy=QUANTUM),
    "quorum met": lambda folder: _cosigned(folder, WITNESS, OTHER_WITNESS, policy=GROUP),
    "quorum unmet": lambda folder: _cosigned(folder, WITNESS, policy=GROUP),
    "quorum of nobody": lambda folder: _cosigned(folder, policy=GROUP),
    "cosignature false": _false_cosignature,
}


@pytest.mark.parametrize("case", CASES)
async def test_the_page_and_shilu_verify_say_the_same(
    tab: Tab, folder: EvidenceFolder, case: str, capsys: pytest.CaptureFixture[str]
) -> None:
    CASES[case](folder)
    for log_key in ("", folder.vkey):
        here = judge_here(capsys, folder.folder, log_key=log_key)
        there = await judge(tab, folder.folder, log_key=log_key)
        assert comparable(there, above=folder.folder.parent) == comparable(here, above=folder.folder.parent)


@pytest.mark.parametrize("spoiler", SPOILERS)
async def test_the_page_and_shilu_verify_say_the_same_of_the_dock(
    tab: Tab, tmp_path: Path, spoiler: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_docked_folder(tmp_path / "docked", DOCKED_CONTENT)
    SPOILERS[spoiler][0](folder)
    here = judge_here(capsys, folder.folder)
    there = await judge(tab, folder.folder)
    assert comparable(there, above=tmp_path) == comparable(here, above=tmp_path)


@pytest.mark.parametrize("spoiler", BEGINNINGS)
async def test_the_page_and_shilu_verify_say_the_same_of_beginnings(
    tab: Tab, tmp_path: Path, spoiler: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_beginning(tmp_path / "begun")
    BEGINNINGS[spoiler][0](folder)
    here = judge_here(capsys, folder.folder, log_key=folder.vkey)
    there = await judge(tab, folder.folder, log_key=folder.vkey)
    assert comparable(there, above=tmp_path) == comparable(here, above=tmp_path)
    banner = await tab.evaluate("document.querySelector('.verdict').innerText")
    assert ("未经证明" in banner) is (here["consistent"] and not here["verified"])


async def test_the_page_and_shilu_verify_say_the_same_of_excerpts(
    tab: Tab, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, (spoiler, (spoil, _)) in enumerate(EXCERPTS.items()):
        if "pipe" in spoiler:
            continue  # no browser hands a page what is no file
        made = make_excerpt(tmp_path / str(number))
        spoil(made)
        here = judge_here(capsys, made.folder, log_key=made.vkey)
        there = await judge(tab, made.folder, log_key=made.vkey)
        assert comparable(there, above=tmp_path) == comparable(here, above=tmp_path), spoiler


async def test_every_run_of_every_small_tree_is_proved_and_no_other(tab: Tab) -> None:
    leaves = [leaf_hash(bytes([number])) for number in range(13)]
    cases = []
    for size in range(1, len(leaves) + 1):
        for start in range(size):
            for stop in range(start + 1, size + 1):
                (run,) = proved_leaves(leaves[:size], [(start, stop)])
                wrong = [hash_.hex() for hash_ in (*run.proof[1:], bytes(32))]
                values = [leaf.hex() for leaf in leaves[start:stop]]
                root = root_of(leaves[:size]).hex()
                cases += [
                    [values, start, size, [hash_.hex() for hash_ in run.proof], root, True],
                    [values, start, size, wrong, root, False],
                    [values, start + 1, size, [hash_.hex() for hash_ in run.proof], root, False],
                    [values[1:], start, size, [hash_.hex() for hash_ in run.proof], root, False],
                ]
    wrongly = await tab.evaluate(
        f"""{json.dumps(cases)}.filter(([leaves, start, size, proof, root, proved]) =>
        isRange(leaves.map(fromHex), start, size, proof.map(fromHex), fromHex(root)) !== proved)"""
    )
    assert wrongly == []


async def test_an_excerpt_shows_what_was_left_out_and_a_stranger_beside_it_is_named(
    tab: Tab, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = make_excerpt(tmp_path / "excerpt")
    (made.folder / NAME).write_bytes(b"not the original")
    report = await judge(tab, made.folder, log_key=made.vkey)
    here = judge_here(capsys, made.folder, log_key=made.vkey)
    assert comparable(report, above=tmp_path) == comparable(here, above=tmp_path)
    assert [remark["code"] for remark in report["remarks"]] == ["package.uncovered"]
    shown = await tab.evaluate("byId('result').innerText")
    assert "0:00:12.000" in shown
    left_out = [range_ for range_ in report["items"][0]["findings"] if range_["code"] == "excerpt.left_out"]
    assert len(left_out[0]["details"]["ranges"]) == await tab.evaluate("document.querySelectorAll('.strip i').length")


async def test_a_browser_without_ed25519_says_that_the_dock_was_not_checked(tab: Tab, tmp_path: Path) -> None:
    folder = make_docked_folder(tmp_path / "docked", DOCKED_CONTENT)
    await tab.evaluate("ed25519Answer = Promise.resolve(false); undefined")
    report = await judge(tab, folder.folder, log_key=folder.vkey)
    assert not report["consistent"]
    assert "page.signature_unsupported" in codes(report)


async def test_every_receipt_vector_gets_the_same_findings(
    tab: Tab, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = vectors()
    vkey = made.pop("receipt/log.vkey").decode().strip()
    for number, (name, receipt) in enumerate(made.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "clip.mp4").write_bytes(VECTOR_CONTENT)
        (folder / "clip.mp4.receipt").write_bytes(receipt)
        here = judge_here(capsys, folder, log_key=vkey)
        there = await judge(tab, folder, log_key=vkey)
        assert comparable(there, above=tmp_path) == comparable(here, above=tmp_path), name
        assert there["verified"] is name.startswith("receipt/good/"), name
    assert len(made) > 80


JUDGES = """
    var vectorCodes = {note: "note.malformed", false: "note.signature", unsigned: "note.unsigned",
        unmet: "policy.unmet", checkpoint: "checkpoint.malformed", key: "key.malformed", policy: "policy.malformed",
        proof: "proof.malformed", "keys.malformed": "log_key.malformed", "keys.false": "log_key.false"};
    var judges = {
        key: (text) => parsePublicKey(text),
        statement: (text) => openStatement(text),
        note: (text) => openNote(parseNote(text), [parsePublicKey(AUTHOR)]),
        checkpoint: (text) => openCheckpoint(text, parsePolicy(utf8(LOG_POLICY))),
        cosigned: (text) => openCheckpoint(text, parsePolicy(utf8(WITNESS_POLICY))),
        proof: async (text) => {
            const proof = parseProof(text);
            const { checkpoint } = await openCheckpoint(proof.checkpoint, parsePolicy(utf8(LOG_POLICY)));
            if (!isIncluded(leafHash(utf8(ENTRY)), proof.index, checkpoint.size, proof.path, checkpoint.root)) {
                throw "proof.invalid";
            }
        },
    };
    var judgeVector = async (kind, encoded) => {
        try {
            if (kind === "policy") parsePolicy(parseBase64(encoded));
            else await judges[kind](fromUtf8(parseBase64(encoded)));
            return "good";
        } catch (error) {
            if (error instanceof TypeError) return `${kind}.malformed`; // not UTF-8
            if (/^no key of .* signed/.test(error.message)) return "checkpoint.origin";
            return vectorCodes[error.kind] ?? String(error);
        }
    };
    undefined
"""


async def test_every_vector_of_the_ledgers_formats_is_judged_alike(tab: Tab) -> None:
    known = {
        "AUTHOR": AUTHOR.verifier.vkey,
        "LOG_POLICY": f"log {LOG.verifier.vkey}\nquorum none\n",
        "WITNESS_POLICY": POLICY,
        "ENTRY": ENTRIES[PROVED].decode(),
    }
    await tab.evaluate("".join(f"var {name} = {json.dumps(value)};" for name, value in known.items()) + JUDGES)
    made = ledger_vectors()
    for name, raw in made.items():
        kind, code, _ = name.split("/")
        encoded = base64.b64encode(raw).decode()
        assert await tab.evaluate(f"judgeVector({json.dumps(kind)}, {json.dumps(encoded)})") == code, name
    assert len(made) > 150


async def test_random_damage_gets_the_same_findings(
    tab: Tab, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    random = Random(11)
    honest = make_evidence_folder(tmp_path / "honest", b"short")
    receipt = honest.receipt_file.read_bytes()
    for number in range(80):
        spoilt, start = bytearray(receipt), random.randrange(len(receipt))
        match random.randrange(4):
            case 0:
                spoilt[start] ^= 1 << random.randrange(8)
            case 1:
                del spoilt[start : start + random.randrange(1, 50)]
            case 2:
                spoilt[start:start] = spoilt[start : start + random.randrange(1, 50)]
            case _:
                spoilt[start : start + 4] = random.randbytes(4)
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / NAME).write_bytes(b"short")
        (folder / f"{NAME}.receipt").write_bytes(spoilt)
        here = judge_here(capsys, folder, log_key=honest.vkey)
        there = await judge(tab, folder, log_key=honest.vkey)
        assert comparable(there, above=tmp_path) == comparable(here, above=tmp_path), bytes(spoilt)


async def test_files_may_be_chosen_one_by_one(tab: Tab, folder: EvidenceFolder) -> None:
    report = await judge(tab, sorted(folder.folder.iterdir()), log_key=folder.vkey)
    assert report["verified"]
    report = await judge(tab, [folder.file, folder.policy_file])
    assert codes(report)[3] == "receipt.missing"


async def test_files_may_be_dropped(tab: Tab, folder: EvidenceFolder) -> None:
    await tab.evaluate(f"byId('key').value = {json.dumps(folder.vkey)}")
    await tab.drop_files("#drop", sorted(folder.folder.iterdir()))
    assert (await tab.until("window.shiluReport"))["verified"]


async def test_a_dropped_folder_is_read_to_its_last_portion(tab: Tab) -> None:
    """Browsers hand out a folder's entries in portions; the protocol that drives this one cannot drop real folders."""
    paths = await tab.evaluate("""(async () => {
        const file = (path) => ({ isFile: true, fullPath: path, file: (resolve) => resolve(new File([], "x")) });
        const folder = (...portions) => ({ isFile: false,
            createReader: () => ({ readEntries: (resolve) => resolve(portions.shift() ?? []) }) });
        const tree = folder([file("/a/1"), file("/a/2")], [folder([file("/a/b/3")]), file("/a/4")]);
        const handle = (name) => ({ kind: "file", name, getFile: async () => new File([], name) });
        const handles = [{ kind: "directory", name: "a", values: () => [handle("1"), handle("2")] }, handle("3")];
        const found = [...await dropped([tree, file("/5")]), ...await droppedHandles(handles)];
        return found.map(({ path }) => path);
    })()""")
    assert paths == ["a/1", "a/2", "a/b/3", "a/4", "5", "a/1", "a/2", "3"]


async def test_everything_is_reached_and_worked_by_keyboard(tab: Tab, folder: EvidenceFolder) -> None:
    await judge(tab, folder.folder)
    await tab.evaluate("document.querySelector('.skip').focus(); undefined")
    reached = []
    for _ in range(14):
        await tab.press("Tab")
        reached.append(await tab.evaluate("document.activeElement.id || document.activeElement.innerText"))
    wanted = ["folder", "files", "key", "roots", "again", "owed.key", "owed.page"]
    assert [name for name in reached if name in wanted] == wanted
    assert any("打印" in name for name in reached)


async def test_a_folder_of_folders_is_judged_by_the_key_of_each(
    tab: Tab, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_evidence_folder(tmp_path / "all" / "mine", b"mine")
    make_evidence_folder(tmp_path / "all" / "other", b"other", log=PaperLog(seeded_signer("other.example")))
    here, there = judge_here(capsys, tmp_path / "all"), await judge(tab, tmp_path / "all")
    assert comparable(there, above=tmp_path) == comparable(here, above=tmp_path)
    assert len(there["log_keys"]) == 2


@pytest.mark.parametrize(
    ("log_key", "policy", "stopped"),
    [
        ("noise", None, "verify.key_given"),
        ("shilu.example/log+00000000+AAAA", None, "verify.key_given"),
        ("quorum none", None, "verify.key_given"),
        ("", b"quorum none\n", "verify.key_package"),
        ("", b"\xff\x00", "verify.key_package"),
        ("", b"", "verify.log_key"),
    ],
)
async def test_without_a_key_there_is_no_verdict(
    tab: Tab, folder: EvidenceFolder, log_key: str, policy: bytes | None, stopped: str
) -> None:
    if policy == b"":
        folder.policy_file.unlink()
    elif policy is not None:
        folder.policy_file.write_bytes(policy)
    assert await judge(tab, folder.folder, log_key=log_key) == {"stopped": stopped}


async def test_a_folder_without_a_receipt_is_no_evidence(tab: Tab, tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "a.mp4").touch()
    (tmp_path / "x" / "b.mp4").touch()
    assert await judge(tab, tmp_path / "x") == {"stopped": "verify.nothing"}


async def test_a_signature_that_the_browser_cannot_check_is_never_passed_over(tab: Tab, folder: EvidenceFolder) -> None:
    await tab.evaluate(LACKS_QUANTUM)
    _cosigned(folder, WITNESS, QUANTUM_WITNESS, policy=QUANTUM)
    report = await judge(tab, folder.folder)
    assert (codes(report), report["consistent"]) == (["page.signature_unsupported"], False)


async def test_a_browser_without_ed25519_says_so_and_passes_nothing(tab: Tab, folder: EvidenceFolder) -> None:
    await tab.evaluate("crypto.subtle.importKey = () => Promise.reject(new Error('no such algorithm')); undefined")
    await tab.evaluate("ed25519Answer = null; checkBrowser()")
    assert "Ed25519" in await tab.evaluate("byId('notices').innerText")
    report = await judge(tab, folder.folder, log_key=folder.vkey)
    assert (codes(report), report["verified"]) == (["page.signature_unsupported"], False)


async def test_a_browser_without_workers_hashes_in_the_page(tab: Tab, folder: EvidenceFolder) -> None:
    await tab.evaluate("window.Worker = class { constructor() { throw new Error('refused'); } }; undefined")
    assert (await judge(tab, folder.folder, log_key=folder.vkey))["verified"]


async def test_hostile_names_stay_text(tab: Tab, folder: EvidenceFolder) -> None:
    CASES["name that turns text around"](folder)
    await judge(tab, folder.folder)
    assert await tab.evaluate("document.querySelectorAll('#result img').length") == 0
    text = await tab.evaluate("byId('result').innerText")
    assert "\u202e" not in text
    assert "\\u202e<img src=x onerror=alert(1)>\\x0a7 ✓" in text


async def test_the_page_cannot_reach_any_network(tab: Tab) -> None:
    for attempt in (
        "fetch('https://example.org/')",
        "fetch('http://127.0.0.1:9/')",
        "import('data:text/javascript,1')",
    ):
        assert await tab.evaluate(f"{attempt}.then(() => 'reached', () => 'refused')") == "refused"
    assert await tab.evaluate("(() => { try { new WebSocket('ws://127.0.0.1:9'); } catch { } return 'tried'; })()")
    refused = [complaint for complaint in tab.complaints if "Content Security Policy" in complaint]
    assert len(refused) >= 3
    tab.complaints.clear()
    tab.requests.clear()


async def test_streaming_sha256_is_right_at_every_boundary(tab: Tab) -> None:
    wrong = await tab.evaluate("""(async () => {
        const wrong = [];
        const data = new Uint8Array(300).map((_, index) => index * 7);
        for (let length = 0; length <= 300; length++) {
            const part = data.subarray(0, length);
            const right = hex(new Uint8Array(await crypto.subtle.digest("SHA-256", part)));
            const cut = length % 71;
            const mine = hex(new Sha256().update(part.subarray(0, cut)).update(part.subarray(cut)).digest());
            if (mine !== right) wrong.push(length);
        }
        return wrong;
    })()""")
    assert wrong == []


@pytest.mark.slow
async def test_a_huge_file_takes_constant_memory(tab: Tab, tmp_path: Path) -> None:
    size = 300 * CHUNK_BYTES + 7
    folder = make_evidence_folder(tmp_path / "huge", b"x")
    os.truncate(folder.file, size)
    payload = {**sealed_payload(b"x", name=NAME), **digest_body(digest_file(folder.file))}
    folder.write_receipt(folder.log.record(payload))
    folder.leaves_file.write_bytes(b"".join(leaf_hashes(folder.file)))
    before, begun = await tab.peak_memory_kib(), time.monotonic()
    report = await judge(tab, folder.folder, log_key=folder.vkey)
    seconds, grown = time.monotonic() - begun, await tab.peak_memory_kib() - before
    print(f"verify.html: {size >> 20} MiB in {seconds:.1f} s, {grown >> 10} MiB of memory more")
    assert report["verified"]
    assert grown < 150 * 1024, "KiB; the file has twice as much"
