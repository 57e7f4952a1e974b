"""Findings about a package around evidence folders, see `evidence.verify.bag`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from evidence.verify.meaning import Meaning
from ledger.findings import Severity

_OK, _WARNING, _ERROR = Severity.OK, Severity.WARNING, Severity.ERROR

BAG_FINDINGS: Final[Mapping[str, Meaning]] = {
    "bag.traced": Meaning(
        None,
        _OK,
        "the hand-over is entry {index} of the log, recorded {at}, and commits to the list of files",
        "移交为账本第 {index} 条（{at} 入账），该条目记载了文件清单",
    ),
    "bag.listed": Meaning(
        None, _OK, "all {files} files are as they were handed over", "全部 {files} 个文件与移交时一致"
    ),
    "bag.listed_only": Meaning(
        None,
        _OK,
        "all {files} files are as the list says; nothing proves the list itself",
        "全部 {files} 个文件与清单一致；清单本身未经证明",
    ),
    "bag.untraced": Meaning(
        None,
        _WARNING,
        "no receipt of the hand-over: the list of files comes from whoever made the package",
        "没有移交回执：文件清单来自制作该包的人",
    ),
    "bag.malformed": Meaning(
        None, _ERROR, "{list} is missing or no list of files of this package", "{list} 缺失或不是本包的文件清单"
    ),
    "bag.trace_malformed": Meaning(
        None, _ERROR, "export.trace is no receipt of a hand-over: {reason}", "export.trace 不是移交回执：{reason}"
    ),
    "bag.trace_not_proved": Meaning(
        None,
        _ERROR,
        "the receipt of the hand-over is not proved by a log that is believed: {codes}",
        "移交回执未能由受信账本证明：{codes}",
    ),
    "bag.manifest_differs": Meaning(
        None,
        _ERROR,
        "the list of files is not the one that was handed over",
        "文件清单与移交时入账的清单不同",
    ),
    "bag.file_missing": Meaning(
        None, _ERROR, "a file of the list is not here or cannot be read", "清单所列文件不存在或无法读取"
    ),
    "bag.file_differs": Meaning(None, _ERROR, "the file is not what the list says", "文件与清单不一致"),
    "bag.file_unlisted": Meaning(
        None, _ERROR, "the file belongs to the package but its list does not name it", "文件属于该包但清单未列出"
    ),
    "bag.excerpts": Meaning(
        None,
        _WARNING,
        "{excerpts} of {of} originals are here as excerpts: what lies there was verified, the whole of them was not",
        "{of} 件原始文件中有 {excerpts} 件仅以节选随附：已核验其中所含部分，未核验原始文件全文",
    ),
    "bag.foreign": Meaning(
        None,
        _WARNING,
        "not what this version writes into a package: it came from elsewhere or another version",
        "与本版本写入证据包的内容不同：来自他处或其他版本",
    ),
}
"""Code -> meaning."""
