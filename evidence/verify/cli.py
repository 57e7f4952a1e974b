"""`shilu-verify`: check evidence offline, without a network, a database or trust in the service that made it.

Needs Python and the package `cryptography`, nothing of the server. Reads each file once, in constant memory.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from evidence.core.wire.published import SUFFIX as PUBLISHED_SUFFIX
from evidence.core.wire.receipt import RECEIPT_BYTES_MAX
from evidence.errors import EvidenceError
from evidence.verify.archived_files import judge_case_in, judge_review_in
from evidence.verify.bag import Bag, judge_bag, open_bag
from evidence.verify.clip import Verification, verify_clip
from evidence.verify.errors import RebuildImpossible
from evidence.verify.excerpt_statement import parse_excerpt
from evidence.verify.findings import finding
from evidence.verify.foreign import foreign_files
from evidence.verify.hashing import Progress
from evidence.verify.keys import Belief, judge_keys
from evidence.verify.package import POLICY_NAME, Item, Package, Trust, decide_trust, open_packages, read_roots
from evidence.verify.published import judge_published
from evidence.verify.rebuild import rebuild
from evidence.verify.report import Exit, Report, one_line, printable, render
from evidence.verify.times import Stamps
from ledger.findings import Finding

_REDRAW_SECONDS = 0.2

_DESCRIPTION = """\
离线验证执法音像证据。Verify evidence offline.

PATH 为证据文件夹（可含多个子文件夹）、证据包（BagIt），或单个原始文件（其旁应有 .receipt 回执）。
PATH is an evidence folder, a folder of such folders, a package (BagIt), or a single original with its .receipt.

公示信息旁的证明（.published）亦可离线核验：何时公示、何时撤下、内容是否与账本一致。
The proof beside a published record (.published) is judged, too: when it was public or withdrawn, and its text.

证据包另核对移交回执及其所记载的文件清单。
Of a package the receipt of its hand-over is checked too, and the list of files that it commits to.

已归档案件的证据包另按归档时冻结的清单核对：编号、文件、摘要值、标注版本。
A package of an archived case is held against the manifest that was frozen: numbers, files, digests, annotations.

随附法制审核回执（data/review.receipts）的，另核验送审承诺与审核意见的签名、证据根值、审核资格，以及决定的依据与撤销情况。
Receipts of a legal review are judged: declarations and opinions with their signatures and the evidence root, the
reviewers' qualifications, what the decision stands on, and whether it still stands.

These obligations are checked for each original:
  1 文件可读，大小相符        file readable, size as stated
  2 分块与片段根值相符        chunks lead to the clip's root (differences are located)
  3 整个文件 SHA-256 相符     SHA-256 of the whole file
  4 载荷、盐值符合条目承诺    payload and salt are what the entry commits to
  5 条目规范且与片段相符      entry canonical and about this clip
  6 条目在账本中              entry included in the log
  7 检查点签名（及见证）      checkpoint signed by a believed log key (and witnesses)
  8 采集站签名                manifest signed by the key that was the dock's, where a dock sent the clip
  9 检查点的时间戳            time stamps of the checkpoint, where some came along (RFC 3161)

节选（.excerpt）验证其中的分块，并列出未包含的部分。
Of an excerpt (.excerpt) the chunks that lie there are verified, and what was left out is listed.

录制中断的文件仅其开头部分入账（clip.prefix）：逐项验证该部分，其余明示未经证明。
Of a file whose recorder never came back the beginning may be on record (clip.prefix): that is verified, and the rest
is said not to be proven.
"""

_EPILOG = """\
exit codes / 退出码:
  0    verified with a log key that you gave         以您提供的日志密钥验证通过
  1    a check failed                                有检查未通过
  2    nothing could be checked: wrong arguments, nothing to verify, no log key
                                                     无法检查：参数有误、没有证据或没有日志密钥
  3    consistent in itself, but the log key came with the evidence: compare it, or give --log-key
                                                     内容自洽，但日志密钥随证据提供：请核对，或用 --log-key 指定
  5    verified as far as it was sealed while being written; the rest of the file is not proven
                                                     已封存的开头部分验证通过，其后内容未经证明
  130  interrupted                                   已中断
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run `shilu-verify` and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal without UTF-8 gets escapes instead of a crash halfway through a report.
            stream.reconfigure(errors="backslashreplace")
    options = _parser().parse_args(argv)
    try:
        report = _verify(options)
        if options.rebuild is not None:
            _rebuild(options.paths, report, target=options.rebuild)
    except (EvidenceError, OSError) as error:
        sys.stderr.write(printable(f"shilu-verify: {one_line(str(error))}\n"))
        return Exit.USAGE
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        return Exit.INTERRUPTED
    if options.json:
        sys.stdout.write(json.dumps(report.as_json(), ensure_ascii=False, indent=2) + "\n")
    else:
        sys.stdout.write(render(report, language=options.lang))
    return report.exit


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="shilu-verify",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="evidence folder or original / 证据文件夹或原始文件"
    )
    parser.add_argument(
        "--log-key",
        metavar="VKEY|FILE",
        help="log key from a trusted place, or a file with it or with a policy / 可信渠道取得的日志密钥或其文件",
    )
    parser.add_argument(
        "--tsa-roots",
        metavar="PEM",
        type=Path,
        help="roots to believe time stamps by, from a trusted place / 可信渠道取得的时间戳根证书（PEM）",
    )
    parser.add_argument(
        "--rebuild",
        metavar="FILE",
        type=Path,
        help="make a playable file of the one excerpt in PATH: proved bytes at their places, zeros where nothing lies "
        "/ 将节选还原为可播放的文件（未包含处为零）",
    )
    parser.add_argument(
        "--tree",
        action="store_true",
        help="only the chunk tree, with all processors: every byte is covered, the whole-file digests are not compared "
        "/ 仅核验分块树（多线程；覆盖全部字节，不比对整个文件的摘要值）",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object / 输出一个 JSON 对象")
    parser.add_argument("--lang", choices=("zh", "en", "both"), default="both", help="language / 语言 (default: both)")
    parser.add_argument("--quiet", action="store_true", help="no progress on standard error / 不显示进度")
    return parser


def _verify(options: argparse.Namespace) -> Report:
    roots = read_roots(options.tsa_roots)
    published = [path for path in options.paths if path.suffix == PUBLISHED_SUFFIX]
    packages = [package for path in options.paths if path not in published for package in open_packages(path)]
    trusts = [decide_trust(options.log_key, package.policy) for package in packages]
    beliefs = [judge_keys(package.keys, trust.policy) for package, trust in zip(packages, trusts, strict=True)]
    verifications = [
        verify_clip(
            item.file,
            item.receipt(),
            policy=belief.policy,
            leaves=item.leaves(),
            dock=item.dock(),
            stamps=Stamps(checkpoint=item.checkpoint(), responses=item.stamps(), roots=roots),
            excerpt=item.excerpt(),
            tree_only=options.tree,
            progress=None if options.quiet else _meter(item),
        )
        for package, belief in zip(packages, beliefs, strict=True)
        for item in package.items
    ]
    remarks = [
        remark
        for package, trust, belief in zip(packages, trusts, beliefs, strict=True)
        for remark in (*_remarks(package, trust), *belief.findings)
    ]
    sealed = {one.file: one.clip for one in verifications if one.clip is not None}
    bags = [bag for path in options.paths if (bag := open_bag(path)) is not None]
    remarks = [*_once(remarks, bags), *_judge_bags(bags, packages, beliefs, verifications)]
    alone = [one for one in packages if all(one.items[0].file.parent != bag.root for bag in bags)]
    remarks += [remark for package in alone for remark in foreign_files(package, sealed)]
    told, believed = _judge_published(published, options.log_key)
    return Report(tuple(verifications), (*trusts, *believed), (*remarks, *told))


def _judge_published(paths: Sequence[Path], log_key: str | None) -> tuple[list[Finding], list[Trust]]:
    """Judge proofs of what was public; a policy that lies beside one is believed as far as it goes, and no further."""
    found, trusts = list[Finding](), list[Trust]()
    for path in paths:
        beside = path.with_name(POLICY_NAME)
        trust = decide_trust(log_key, beside.read_bytes() if beside.is_file() else None)
        with path.open("rb") as file:
            raw = file.read(RECEIPT_BYTES_MAX + 1)
        found += judge_published(raw, policy=trust.policy, subject=f"published:{path.name}")
        trusts.append(trust)
    return found, trusts


def _judge_bags(
    bags: Sequence[Bag], packages: Sequence[Package], beliefs: Sequence[Belief], verifications: Sequence[Verification]
) -> Iterator[Finding]:
    """Judge packages around evidence folders, each by what is believed of its first folder."""
    whole = [one for one in verifications if one.holds and not one.is_excerpt]
    read = {one.file: one.clip.digest.sha256 for one in whole if one.clip is not None}
    items = list(zip((item for one in packages for item in one.items), verifications, strict=True))
    for bag in bags:
        within = [one.items[0].file.is_relative_to(bag.root) for one in packages]
        policy = beliefs[within.index(True)].policy
        inside = [one for one in verifications if one.file.is_relative_to(bag.root)]
        excerpts = [one.file for one in inside if one.is_excerpt]
        yield from judge_bag(bag, policy=policy, read=read, excerpts=excerpts, originals=len(inside))
        yield from judge_case_in(bag.root, items, policy=policy, subject=f"package:{bag.root.name}")
        yield from judge_review_in(bag.root, policy=policy, subject=f"package:{bag.root.name}")


def _once(remarks: Sequence[Finding], bags: Sequence[Bag]) -> list[Finding]:
    """Around packages, leave out what was said of a folder before, and files that a package's own lists speak for."""
    if not bags:
        return list(remarks)
    listed = {f"file:{name}" for bag in bags for name in bag.names()}
    told = {(one.code, one.subject, one.message): one for one in remarks}
    return [one for one in told.values() if one.code != "package.uncovered" or one.subject not in listed]


def _rebuild(paths: Sequence[Path], report: Report, *, target: Path) -> None:
    """Make a file of the one excerpt there is, once every check of it has passed.

    Raises:
        RebuildImpossible: There is no excerpt or more than one, a check failed, or the file cannot be made.
    """
    excerpts = [
        (item.excerpt(), one)
        for item, one in zip(
            (item for path in paths for package in open_packages(path) for item in package.items),
            report.verifications,
            strict=True,
        )
        if item.excerpt() is not None
    ]
    if len(excerpts) != 1:
        raise RebuildImpossible(f"there are {len(excerpts)} excerpts, one can be made a file of")
    ((files, verified),) = excerpts
    if files is None or verified.clip is None or report.exit not in {Exit.VERIFIED, Exit.TRUST_OWED}:
        raise RebuildImpossible("a check failed: see the report without --rebuild")
    rebuild(files.chunks, parse_excerpt(files.statement), verified.clip.digest, target)


def _remarks(package: Package, trust: Trust) -> list[Finding]:
    found = [finding("package.uncovered", f"file:{path}") for path in package.uncovered]
    if trust.from_package:
        keys = ", ".join(verifier.vkey for verifier in trust.policy.log_verifiers)
        found.append(finding("trust.key_from_package", "log", keys=keys))
    return found


def _meter(item: Item) -> Progress | None:
    """Return what draws the progress of one file on a terminal; None where nobody looks."""
    if not sys.stderr.isatty():
        return None
    name = printable(one_line(item.file.name))[:48]
    drawn = time.monotonic()

    def draw(done: int, total: int) -> None:
        nonlocal drawn
        if done >= total:
            sys.stderr.write("\r\x1b[K")
        elif time.monotonic() - drawn > _REDRAW_SECONDS:
            drawn = time.monotonic()
            sys.stderr.write(f"\r\x1b[K{name}  {done * 100 // total} %")
        sys.stderr.flush()

    return draw
