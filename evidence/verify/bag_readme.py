"""The text that lies in every package: what is what, and how to check it without us."""

from __future__ import annotations

from evidence.core.wire.bag import MANIFEST_NAME, SM3_NAME, TRACE_NAME
from evidence.verify.package import KEYS_NAME, PAGE_NAME, POLICY_NAME

_TEXT = """\
实录证据包（BagIt 1.0）/ Shilu evidence package (BagIt 1.0)

data/certificate.html, data/certificate.pdf
    电子数据证据说明：案件、证据编号、制作方法、时间、完整性校验值、入账位置、核验方法
    the exhibit certificate, in Chinese: what each exhibit is, its digests, its place in the log, how to check it
data/exhibits/<编号 number>/
    每件证据一个文件夹：原始文件、回执、分块摘要、采集站密钥、时间戳、标注（annotation.json）、
    来源链（trail.json）、保管记录（custody.receipts，每条均附证明）
    one folder an exhibit: the original, its receipt, chunk hashes, dock keys, time stamps, what people say of it, where
    it came from, and everything on record about it, each entry with its proof
data/exhibits/<编号 number>/<名称 name>.excerpt, .chunks
    （如有）以节选代替原始文件：所含分块及其证明；shilu-verify 列出未包含的部分，并可用 --rebuild 还原为可播放的文件
    where an exhibit is here as an excerpt: its chunks with proofs in the place of the original; shilu-verify lists what
    was left out, and makes a playable file of it with --rebuild
data/review.receipts
    （如有）法制审核记录的回执：送审承诺、审核意见、签名密钥、审核资格、决定及其撤销；由 shilu-verify 核验，网页不核验
    where there is one: receipts of the legal review: declarations, opinions, keys, qualifications, the decision and
    what became of it; shilu-verify judges them, the page does not
data/package.json, data/case-uco.jsonld
    供程序读取的清单（后者采用 CASE/UCO 词汇）/ lists for programs, the second in the words of CASE/UCO
{manifest}, {sm3}
    文件清单及 SHA-256、SM3 校验值 / lists of the files with SHA-256 and, where known, SM3
{trace}{policy}, {keys}
    账本的验证公钥及其更替声明 / the log's verifier key, and statements by which it was changed
{page}
    用浏览器离线验证的网页 / the verification of the originals as a page for a browser, offline

验证（无需网络）/ to verify, offline:

    shilu-verify --log-key <KEY> <此文件夹 / this folder>

仅核对文件清单 / to compare the lists alone, with any system's own tools:

    sha256sum -c {manifest}

或用浏览器打开 {page}，选择此文件夹并粘贴 <KEY>；有争议时，请使用取自可信渠道的 {page}。
Or open {page} in a browser, choose this folder and paste <KEY>; in a dispute use a {page} from a trusted place.

<KEY> 须取自可信渠道（机关公示、上级机关或见证方），不可仅凭本文件夹中的 {policy}。
<KEY> has to come from a trusted place (the agency's publication, the supervising authority, a witness), not from the
{policy} in this folder: whoever forges a folder can forge that file with it.
"""

_TRACED = """\
{trace}
    移交入账的回执：账本记载了上述 SHA-256 清单 / receipt of the hand-over: the log commits to that list of files
"""


def bag_readme_text(*, traced: bool) -> bytes:
    """Return the text for a package.

    Args:
        traced: Whether the receipt of its hand-over lies in it.
    """
    return _TEXT.format(
        manifest=MANIFEST_NAME,
        sm3=SM3_NAME,
        trace=_TRACED.format(trace=TRACE_NAME) if traced else "",
        policy=POLICY_NAME,
        keys=KEYS_NAME,
        page=PAGE_NAME,
    ).encode()
