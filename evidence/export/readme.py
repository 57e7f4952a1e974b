"""The text that lies in every evidence folder: what is what, and how to check it without us."""

from __future__ import annotations

from evidence.core.wire.sealed import SealedClip
from evidence.verify.package import LEAVES_SUFFIX, PAGE_NAME, POLICY_NAME, RECEIPT_SUFFIX
from evidence.verify.report import one_line, printable

_TEXT = """\
实录证据文件夹 / Shilu evidence folder

{name}
    原始文件，与封存时逐字节相同 / the original, byte for byte as sealed
{name}{receipt}
    回执：账本条目、载荷、盐值及证明 / receipt: ledger entry, payload, salt and proof
{name}{leaves}
    各分块摘要，用于指出差异位置 / hashes of the chunks, to say where a file differs
{policy}
    账本的验证公钥 / the log's verifier key
{page}
    用浏览器离线验证的网页 / the verification as a page for a browser, offline

原名 / name as it came:  {original}
片段 / clip:             {clip}
大小 / size:             {size} 字节 / bytes
SHA-256:                 {sha256}

验证（无需网络）/ to verify, offline:

    shilu-verify --log-key <KEY> <此文件夹 / this folder>

或用浏览器打开 {page}，选择此文件夹并粘贴 <KEY>；有争议时，请使用取自可信渠道的 {page}。
Or open {page} in a browser, choose this folder and paste <KEY>; in a dispute use a {page} from a trusted place.

<KEY> 须取自可信渠道（机关公示、上级机关或见证方），不可仅凭本文件夹中的 {policy}。
<KEY> has to come from a trusted place (the agency's publication, the supervising authority, a witness), not from the
{policy} in this folder: whoever forges a folder can forge that file with it.
"""


def readme_text(sealed: SealedClip, *, file_name: str) -> bytes:
    """Return the text for a folder that holds one clip under a file name."""
    text = _TEXT.format(
        name=file_name,
        original=printable(one_line(sealed.name)),
        clip=sealed.clip,
        size=sealed.digest.size,
        sha256=sealed.digest.sha256.hex(),
        receipt=RECEIPT_SUFFIX,
        leaves=LEAVES_SUFFIX,
        policy=POLICY_NAME,
        page=PAGE_NAME,
    )
    return text.encode()
