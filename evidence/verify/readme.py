"""The text that lies in every evidence folder: what is what, and how to check it without us."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from evidence.core.wire.sealed import SealedClip
from evidence.verify.package import (
    CHECKPOINT_SUFFIX,
    CHUNKS_SUFFIX,
    DOCK_SUFFIX,
    EXCERPT_SUFFIX,
    LEAVES_SUFFIX,
    PAGE_NAME,
    POLICY_NAME,
    RECEIPT_SUFFIX,
    STAMP_SUFFIX,
)
from evidence.verify.report import one_line, printable

_TEXT = """\
实录证据文件夹 / Shilu evidence folder

{name}
    原始文件，与封存时逐字节相同 / the original, byte for byte as sealed
{name}{receipt}
    回执：账本条目、载荷、盐值及证明 / receipt: ledger entry, payload, salt and proof
{name}{leaves}
    各分块摘要，用于指出差异位置 / hashes of the chunks, to say where a file differs
{dock}{policy}
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

_EXCERPT = """\
实录证据节选 / Shilu excerpt

{name}{chunks}
    原始文件中被选取的分块，逐字节未改动 / chunks of the original, byte for byte as sealed
{name}{excerpt}
    所选分块及其证明 / which chunks these are, and their proofs
{name}{receipt}
    回执：账本条目、载荷、盐值及证明 / receipt: ledger entry, payload, salt and proof
{cut}{dock}{policy}
    账本的验证公钥 / the log's verifier key
{page}
    用浏览器离线验证的网页 / the verification as a page for a browser, offline

原名 / name as it came:  {original}
片段 / clip:             {clip}
原始文件大小 / size of the original:  {size} 字节 / bytes

验证，并列出未包含的部分（无需网络）/ to verify, and to see what was left out, offline:

    shilu-verify --log-key <KEY> <此文件夹 / this folder>

或用浏览器打开 {page}，选择此文件夹并粘贴 <KEY>；有争议时，请使用取自可信渠道的 {page}。
Or open {page} in a browser, choose this folder and paste <KEY>; in a dispute use a {page} from a trusted place.

还原为可播放的文件（未包含处为零或空包）/ to make a file that players open (zeros or null packets where nothing lies):

    shilu-verify --log-key <KEY> --rebuild <FILE> <此文件夹 / this folder>

<KEY> 须取自可信渠道（机关公示、上级机关或见证方），不可仅凭本文件夹中的 {policy}。
<KEY> has to come from a trusted place (the agency's publication, the supervising authority, a witness), not from the
{policy} in this folder: whoever forges a folder can forge that file with it.
"""

_CUT = """\
{cut}
    便于观看的副本：衍生件，并非证据 / a copy for viewing: a derivative, not evidence
"""

_STAMPED = """\

时间戳 / time stamps
    {name}{checkpoint} 是回执中的检查点；下列文件是各时间戳机构对它的签名时间（RFC 3161）。
    {name}{checkpoint} is the checkpoint in the receipt; these are strangers' clocks over it (RFC 3161):
{files}
    任何支持 RFC 3161 的程序均可核验，例如 / any program for RFC 3161 can check them, for example:

{commands}

    或 / or:  shilu-verify --log-key <KEY> --tsa-roots <ROOTS> <此文件夹 / this folder>

<ROOTS> 为时间戳机构的根证书（PEM），须取自可信渠道。
<ROOTS> holds the root certificates of the authorities (PEM), from a trusted place.
"""

_DOCK = """\
{name}{suffix}
    采集站密钥的入账条目，用于验证其签名 / entries of the dock's keys, to check its signature
"""


def readme_text(sealed: SealedClip, *, file_name: str, dock: bool = False, authorities: Sequence[str] = ()) -> bytes:
    """Return the text for a folder that holds one clip under a file name.

    Args:
        dock: Whether the entries of its dock's keys came along.
        authorities: Whose time stamps did.
    """
    text = _TEXT.format(
        name=file_name,
        dock=_DOCK.format(name=file_name, suffix=DOCK_SUFFIX) if dock else "",
        original=printable(one_line(sealed.name)),
        clip=sealed.clip,
        size=sealed.digest.size,
        sha256=sealed.digest.sha256.hex(),
        receipt=RECEIPT_SUFFIX,
        leaves=LEAVES_SUFFIX,
        policy=POLICY_NAME,
        page=PAGE_NAME,
    )
    return (text + _stamps_text(file_name, authorities)).encode()


def excerpt_readme_text(
    sealed: SealedClip, *, file_name: str, cut: str | None, dock: bool = False, authorities: Sequence[str] = ()
) -> bytes:
    """Return the text for a folder that holds an excerpt of a clip.

    Args:
        cut: Name of the playable copy, None without one.
        dock, authorities: See `readme_text`.
    """
    text = _EXCERPT.format(
        name=file_name,
        cut=_CUT.format(cut=cut) if cut is not None else "",
        dock=_DOCK.format(name=file_name, suffix=DOCK_SUFFIX) if dock else "",
        original=printable(one_line(sealed.name)),
        clip=sealed.clip,
        size=sealed.digest.size,
        receipt=RECEIPT_SUFFIX,
        chunks=CHUNKS_SUFFIX,
        excerpt=EXCERPT_SUFFIX,
        policy=POLICY_NAME,
        page=PAGE_NAME,
    )
    return (text + _stamps_text(file_name, authorities)).encode()


def _stamps_text(name: str, authorities: Sequence[str]) -> str:
    if not authorities:
        return ""
    files = [f"{name}.{authority}{STAMP_SUFFIX}" for authority in sorted(authorities)]
    data = shlex.quote(f"{name}{CHECKPOINT_SUFFIX}")
    commands = [f"    openssl ts -verify -data {data} -in {shlex.quote(one)} -CAfile <ROOTS>" for one in files]
    return _STAMPED.format(
        name=name,
        checkpoint=CHECKPOINT_SUFFIX,
        files="\n".join(f"    {one}" for one in files),
        commands="\n".join(commands),
    )
