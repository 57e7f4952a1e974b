"""The findings of an offline verification: every code once, with its obligation and its sentence in two languages.

The obligations, in the order in which they are printed:

1. the file is readable and has the stated size
2. its chunks lead to the root of the clip tree
3. its SHA-256 is the stated one, and its SM3 where one is stated
4. payload and salt are what the ledger entry commits to
5. the entry is canonical, of a known kind, and about the clip that its payload describes
6. the entry is in the log of the checkpoint
7. the checkpoint is signed by a log key that is believed, and by the quorum of witnesses where a policy asks for one
8. a clip that came from a dock: its manifest is signed by the key that was the dock's (`evidence.verify.docks`)
9. the checkpoint existed when the time stamps that came along say (`evidence.verify.times`)

A receipt may also be about the *beginning* of a file that was still being written when it was sealed (`clip.prefix`).
Then 1 and 2 are about these bytes, 3 and 8 do not apply, and whatever follows them is said to be unproven.

An excerpt (`<name>.excerpt`, see `evidence.verify.excerpt`) meets 1 and 2 for the chunks that lie there, not 3.

A sentence is a template over the finding's details, so both languages say the same of the same facts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from evidence.verify.archived_findings import ARCHIVED_FINDINGS
from evidence.verify.bag_findings import BAG_FINDINGS
from evidence.verify.meaning import Meaning
from evidence.verify.published_findings import PUBLISHED_FINDINGS
from evidence.verify.rounds_findings import ROUNDS_FINDINGS
from ledger.findings import Finding, Severity

OBLIGATIONS: Final = (1, 2, 3, 4, 5, 6, 7, 8, 9)


_OK, _WARNING, _ERROR = Severity.OK, Severity.WARNING, Severity.ERROR

FINDINGS: Mapping[str, Meaning] = {
    "met.file": Meaning(1, _OK, "file readable, {size} bytes as stated", "文件可读，大小 {size} 字节与记载一致"),
    "file.missing": Meaning(1, _ERROR, "the file is not there", "文件不存在"),
    "file.unreadable": Meaning(
        1,
        _ERROR,
        "the file cannot be read from byte {offset}: {reason}",
        "文件自第 {offset} 字节起无法读取：{reason}",
    ),
    "file.size_differs": Meaning(
        1,
        _ERROR,
        "the file has {actual_bytes} bytes instead of {stated_bytes}",
        "文件为 {actual_bytes} 字节，应为 {stated_bytes} 字节",
    ),
    "met.tree": Meaning(2, _OK, "all {chunks} chunks lead to the clip's root", "全部 {chunks} 个分块与片段根值相符"),
    "clip.chunks_differ": Meaning(
        2,
        _ERROR,
        "{differing} of {chunks} chunks differ, at bytes {places}",
        "{chunks} 个分块中有 {differing} 个不符，位于字节 {places}",
    ),
    "clip.root_differs": Meaning(
        2,
        _ERROR,
        "the chunks do not lead to the clip's root; no proved list of leaf hashes is there to say where they differ",
        "分块与片段根值不符；没有可证实的分块摘要清单，无法指出位置",
    ),
    "met.prefix_file": Meaning(
        1,
        _OK,
        "file readable, {size} bytes; its first {sealed} bytes are on record",
        "文件可读，共 {size} 字节；其中前 {sealed} 字节已入账",
    ),
    "prefix.file_shorter": Meaning(
        1,
        _ERROR,
        "the file has {actual_bytes} bytes, its beginning was sealed with {stated_bytes}",
        "文件为 {actual_bytes} 字节，而已封存的开头部分为 {stated_bytes} 字节",
    ),
    "met.prefix": Meaning(
        2,
        _OK,
        "the first {chunks} chunks ({sealed} bytes) lead to the sealed root",
        "前 {chunks} 个分块（{sealed} 字节）与封存的根值相符",
    ),
    "prefix.chunks_differ": Meaning(
        2,
        _ERROR,
        "{differing} of the first {chunks} chunks differ, at bytes {places}",
        "前 {chunks} 个分块中有 {differing} 个不符，位于字节 {places}",
    ),
    "prefix.root_differs": Meaning(
        2,
        _ERROR,
        "the first {chunks} chunks do not lead to the sealed root; no proved leaf hashes are there to say where",
        "前 {chunks} 个分块与封存的根值不符；没有可证实的分块摘要清单，无法指出位置",
    ),
    "prefix.rest_unproven": Meaning(
        2,
        _WARNING,
        "NOT PROVEN: bytes {first_byte}-{last_byte} came after what was sealed; nothing is known about them",
        "未经证明：第 {first_byte}-{last_byte} 字节在封存之后到来，对其不能作任何证明",
    ),
    "prefix.no_sha256": Meaning(
        3,
        _OK,
        "not applicable: the file was still being written, nobody knew the digest of the whole",
        "不适用：封存时文件仍在写入，尚无整个文件的摘要",
    ),
    "met.excerpt": Meaning(
        1,
        _OK,
        "excerpt readable: {chunks} of {of} chunks, {bytes} of {size} bytes",
        "节选可读：{of} 个分块中的 {chunks} 个，{size} 字节中的 {bytes} 字节",
    ),
    "excerpt.malformed": Meaning(
        1, _ERROR, "the excerpt's statement is not readable: {reason}", "节选说明无法解读：{reason}"
    ),
    "excerpt.other_clip": Meaning(
        1,
        _ERROR,
        "the excerpt is said to be of clip {clip} with {size} bytes, the receipt is of another",
        "节选说明称其出自片段 {clip}（{size} 字节），与回执不符",
    ),
    "excerpt.bytes_differ": Meaning(
        1,
        _ERROR,
        "{actual_bytes} bytes of chunks lie there instead of {stated_bytes}",
        "分块共 {actual_bytes} 字节，应为 {stated_bytes} 字节",
    ),
    "met.excerpt_tree": Meaning(
        2,
        _OK,
        "all {chunks} chunks, in {runs} runs, are proved to be an untouched part of the sealed original",
        "全部 {chunks} 个分块（{runs} 段）经证明为所封存原始文件的未改动部分",
    ),
    "excerpt.not_proved": Meaning(
        2,
        _ERROR,
        "{unproved} runs of chunks are not proved to be part of the clip: bytes {places}",
        "{unproved} 段分块未能证明属于该片段：字节 {places}",
    ),
    "excerpt.left_out": Meaning(
        2,
        _WARNING,
        "LEFT OUT: {bytes} bytes in {chunks} chunks are not here: bytes {places}",
        "未包含：{chunks} 个分块共 {bytes} 字节不在此处：字节 {places}",
    ),
    "excerpt.whole": Meaning(2, _OK, "nothing was left out", "没有遗漏任何内容"),
    "excerpt.seconds": Meaning(
        2,
        _OK,
        "asked for {asked_from} to {asked_to}; {shown_from} to {shown_to} lies here, by the service's word: "
        "seconds are not proved, bytes are",
        "所请求：{asked_from} 至 {asked_to}；此处为 {shown_from} 至 {shown_to}（据服务所述：秒数未经证明，字节已证明）",
    ),
    "excerpt.seconds_unknown": Meaning(
        2,
        _WARNING,
        "asked for {asked_from} to {asked_to}; nobody says which seconds lie here",
        "所请求：{asked_from} 至 {asked_to}；此处为哪些秒数无人说明",
    ),
    "excerpt.cut": Meaning(
        2,
        _WARNING,
        "{cut} is a playable copy, made for viewing: a derivative, not evidence, and not proved",
        "{cut} 为便于观看而制作的可播放副本：属衍生件，并非证据，未经证明",
    ),
    "excerpt.cut_differs": Meaning(
        2,
        _ERROR,
        "{cut} is not the playable copy that was made: its digest is another",
        "{cut} 并非所制作的可播放副本：摘要不符",
    ),
    "excerpt.cut_missing": Meaning(
        2,
        _WARNING,
        "the playable copy {cut} cannot be read; it is not evidence",
        "可播放副本 {cut} 无法读取；其并非证据",
    ),
    "excerpt.no_sha256": Meaning(
        3, _OK, "not applicable: the digest of the whole needs the whole", "不适用：整个文件的摘要须有整个文件"
    ),
    "leaves.not_proved": Meaning(
        2,
        _WARNING,
        "the list of leaf hashes does not belong to the clip's root and is ignored",
        "分块摘要清单与片段根值不符，不予采用",
    ),
    "met.sha256": Meaning(3, _OK, "SHA-256 of the whole file is as stated", "整个文件的 SHA-256 与记载一致"),
    "clip.sha256_differs": Meaning(
        3,
        _ERROR,
        "SHA-256 of the whole file is {actual:.16}..., not {stated:.16}...",
        "整个文件的 SHA-256 为 {actual:.16}…，应为 {stated:.16}…",
    ),
    "met.sm3": Meaning(3, _OK, "SM3 of the whole file is as stated", "整个文件的 SM3 与记载一致"),
    "clip.sm3_differs": Meaning(
        3,
        _ERROR,
        "SM3 of the whole file is {actual:.16}..., not {stated:.16}...",
        "整个文件的 SM3 为 {actual:.16}…，应为 {stated:.16}…",
    ),
    "clip.sm3_not_checked": Meaning(
        3,
        _WARNING,
        "NOT CHECKED: an SM3 of the whole file is stated, and this program cannot compute SM3",
        "未核验：记载了整个文件的 SM3，但本程序无法计算 SM3",
    ),
    "clip.whole_not_checked": Meaning(
        3,
        _WARNING,
        "NOT CHECKED, as you asked: the digests of the whole file; its chunks are all that was compared",
        "未核验（按您的要求）：整个文件的摘要值；仅比对了各分块",
    ),
    "receipt.missing": Meaning(4, _ERROR, "there is no receipt for the file", "该文件没有回执"),
    "receipt.malformed": Meaning(4, _ERROR, "the receipt is not readable: {reason}", "回执无法解读：{reason}"),
    "met.payload": Meaning(4, _OK, "payload and salt are what the entry commits to", "载荷与盐值符合账本条目的承诺"),
    "payload.not_committed": Meaning(
        4, _ERROR, "the entry does not commit to this payload and salt", "账本条目的承诺与该载荷及盐值不符"
    ),
    "met.entry": Meaning(5, _OK, "entry {type} is about this clip", "账本条目（{type}）与该片段相符"),
    "met.prefix_entry": Meaning(
        5,
        _OK,
        "entry {type} is about the beginning of upload {upload}",
        "账本条目（{type}）与上传 {upload} 的开头部分相符",
    ),
    "entry.malformed": Meaning(5, _ERROR, "the entry is not of its form: {reason}", "账本条目格式不符：{reason}"),
    "payload.malformed": Meaning(5, _ERROR, "the payload is not of its form: {reason}", "载荷格式不符：{reason}"),
    "entry.other_subject": Meaning(
        5, _ERROR, "the entry does not seal this clip: {reason}", "账本条目并非封存该片段：{reason}"
    ),
    "met.inclusion": Meaning(
        6, _OK, "entry {index} is in the log of {log_size} entries", "条目 {index} 在共 {log_size} 条的账本中"
    ),
    "log.proof_malformed": Meaning(6, _ERROR, "the proof is not readable: {reason}", "证明无法解读：{reason}"),
    "log.not_included": Meaning(
        6, _ERROR, "the proof does not lead from the entry to the checkpoint", "证明不能由条目推至检查点"
    ),
    "met.checkpoint": Meaning(
        7,
        _OK,
        "checkpoint signed by {origin}, cosigned by {cosigned} witnesses",
        "检查点由 {origin} 签名，{cosigned} 个见证方联署",
    ),
    "log.checkpoint_unsigned": Meaning(
        7, _ERROR, "the checkpoint is not signed by a log key that is believed", "检查点未经受信日志密钥签名"
    ),
    "log.key_retired": Meaning(
        7,
        _ERROR,
        "the checkpoint of {size} entries is signed only by log keys that were retired before, or had not begun",
        "{size} 条记录的检查点仅由当时已停用或尚未启用的日志密钥签名",
    ),
    "log.checkpoint_false": Meaning(
        7, _ERROR, "a signature on the checkpoint is false: {reason}", "检查点上的签名不真实：{reason}"
    ),
    "log.checkpoint_malformed": Meaning(
        7, _ERROR, "the checkpoint is not of its form: {reason}", "检查点格式不符：{reason}"
    ),
    "log.quorum_unmet": Meaning(
        7, _ERROR, "too few witnesses cosigned the checkpoint; missing: {missing}", "联署的见证方不足；缺：{missing}"
    ),
    "met.dock": Meaning(
        8,
        _OK,
        "the manifest is signed by dock {dock}, with its key number {sequence}, shown from the log",
        "清单由采集站 {dock} 以其第 {sequence} 号密钥签名，该密钥已由账本证明",
    ),
    "dock.not_applicable": Meaning(
        8, _OK, "not applicable: no docking station sent this clip", "不适用：该片段并非由采集站上传"
    ),
    "dock.not_shown": Meaning(
        8,
        _WARNING,
        "not shown: the entries of dock {dock}'s keys did not come along, so its signature was not checked",
        "未出示：未附采集站 {dock} 的密钥条目，其签名未作验证",
    ),
    "dock.malformed": Meaning(
        8,
        _ERROR,
        "the file of the dock's entries is not readable: {reason}",
        "采集站密钥条目文件无法解读：{reason}",
    ),
    "dock.manifest_missing": Meaning(
        8,
        _ERROR,
        "the clip came from a dock, and its signed manifest is not in the payload",
        "该片段来自采集站，但载荷中没有其签名清单",
    ),
    "dock.manifest_malformed": Meaning(
        8, _ERROR, "the dock's manifest in the payload is not a signed note", "载荷中的采集站清单不是签名文书"
    ),
    "dock.manifest_differs": Meaning(
        8,
        _ERROR,
        "the dock's manifest states something else than the clip's payload",
        "采集站清单所载与片段载荷不一致",
    ),
    "dock.entry_unproved": Meaning(
        8,
        _ERROR,
        "entry {number} of the dock's keys does not hold: {cause}",
        "采集站第 {number} 条密钥条目不成立：{cause}",
    ),
    "dock.other_log": Meaning(
        8,
        _ERROR,
        "entry {number} of the dock's keys is in another log than the clip",
        "采集站第 {number} 条密钥条目与片段不在同一账本",
    ),
    "dock.other_dock": Meaning(
        8,
        _ERROR,
        "entry {number} of the dock's keys is about {about}, not about the dock that sent the clip",
        "采集站第 {number} 条密钥条目关于 {about}，并非上传该片段的采集站",
    ),
    "dock.out_of_order": Meaning(
        8,
        _ERROR,
        "entry {number} of the dock's keys is at place {index}: not behind the one before it and before the clip",
        "采集站第 {number} 条密钥条目位于第 {index} 位，次序不符或晚于片段",
    ),
    "dock.chain_broken": Meaning(
        8,
        _ERROR,
        "entry {number} is no enrolment, or no change of key signed by the key before it and the new one",
        "第 {number} 条并非入网登记，或并非由前一密钥与新密钥共同签名的更换",
    ),
    "dock.key_superseded": Meaning(
        8,
        _ERROR,
        "the manifest is signed by a key of the dock that was superseded by key number {sequence} before",
        "清单所用密钥此前已被第 {sequence} 号密钥取代",
    ),
    "dock.manifest_unsigned": Meaning(
        8, _ERROR, "the manifest is not signed by a key of dock {dock}", "清单未经采集站 {dock} 的密钥签名"
    ),
    "met.time": Meaning(
        9,
        _OK,
        "the checkpoint existed at {time}, by the time stamp of {authority}",
        "检查点至迟于 {time} 已存在（{authority} 的时间戳）",
    ),
    "time.trust_owed": Meaning(
        9,
        _WARNING,
        "the time stamp of {authority} states {time} and is consistent; no roots were given to believe it by",
        "{authority} 的时间戳载明 {time}，内容自洽；未提供可信根证书，尚不能采信",
    ),
    "time.none": Meaning(
        9,
        _WARNING,
        "no time stamp came along; nobody else says when the checkpoint existed",
        "未附时间戳；检查点何时存在，没有第三方证明",
    ),
    "time.malformed": Meaning(
        9,
        _ERROR,
        "the time stamp of {authority} cannot be judged: {reason}",
        "{authority} 的时间戳无法判断：{reason}",
    ),
    "time.of_other_data": Meaning(
        9,
        _ERROR,
        "the time stamp of {authority} is not of the checkpoint in the receipt",
        "{authority} 的时间戳并非针对回执中的检查点",
    ),
    "time.false": Meaning(
        9,
        _ERROR,
        "the time stamp of {authority} does not hold: {reason}",
        "{authority} 的时间戳不成立：{reason}",
    ),
    "time.checkpoint_differs": Meaning(
        9,
        _ERROR,
        "the checkpoint file beside the original is not the checkpoint in the receipt",
        "随附的检查点文件与回执中的检查点不一致",
    ),
    "package.page_differs": Meaning(
        None,
        _WARNING,
        "verify.html is not the page of version {version}: it came from elsewhere or another version",
        "verify.html 与本验证程序（版本 {version}）所附网页不同：来自他处或其他版本",
    ),
    "package.readme_differs": Meaning(
        None,
        _WARNING,
        "README.txt is not what version {version} writes for this evidence: it came from elsewhere or another version",
        "README.txt 与版本 {version} 为该证据所写的不同：来自他处或其他版本",
    ),
    "step.skipped": Meaning(
        None, _WARNING, "obligation {obligation} could not be judged", "第 {obligation} 项无法判断"
    ),
    "trust.key_from_package": Meaning(
        None,
        _WARNING,
        "the log key came with the evidence; compare it with one from a trusted place",
        "日志密钥随证据一同提供；请与可信渠道取得的密钥核对",
    ),
    "prefix.no_manifest": Meaning(
        8,
        _OK,
        "not applicable: a docking station signs a file once it is whole",
        "不适用：采集站仅对完整的文件签名",
    ),
    "keys.followed": Meaning(
        None,
        _OK,
        "the log's key was followed {successions} times, each time by a statement that both keys signed",
        "日志密钥曾更换 {successions} 次，每次均有新旧两把密钥共同签名的声明",
    ),
    "keys.unrelated": Meaning(
        None,
        _WARNING,
        "the statements about keys that came along are not about a log key that is believed, and are ignored",
        "随附的密钥声明与受信日志密钥无关，不予采用",
    ),
    "keys.not_proved": Meaning(
        None,
        _ERROR,
        "the statements about the log's keys that came along are false or no chain: {why}",
        "随附的日志密钥声明不真实或不连贯：{why}",
    ),
    **BAG_FINDINGS,
    **PUBLISHED_FINDINGS,
    **ARCHIVED_FINDINGS,
    **ROUNDS_FINDINGS,
    "package.uncovered": Meaning(
        None, _WARNING, "no receipt speaks for this file; nothing was verified about it", "该文件没有回执，未作任何验证"
    ),
}
"""Every code that a verification can give, in the order of the obligations."""


def finding(code: str, subject: str, **details: object) -> Finding:
    """Make a finding of a known code; its message is the English sentence."""
    meaning = FINDINGS[code]
    if meaning.obligation is not None:
        details = {"obligation": meaning.obligation} | details
    return Finding(code, meaning.severity, subject, meaning.en.format_map(details), details)


def sentence_zh(found: Finding) -> str:
    """Return the Chinese sentence of a finding."""
    return FINDINGS[found.code].zh.format_map(dict(found.details))


def obligation_of(found: Finding) -> int | None:
    """Return the number of the obligation a finding is about, or None."""
    number = found.details.get("obligation")
    return number if isinstance(number, int) else None
