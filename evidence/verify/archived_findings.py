"""Findings about a package of an archived case, see `evidence.verify.archived`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from evidence.verify.meaning import Meaning
from ledger.findings import Severity

_OK, _WARNING, _ERROR = Severity.OK, Severity.WARNING, Severity.ERROR

ARCHIVED_FINDINGS: Final[Mapping[str, Meaning]] = {
    "archive.proved": Meaning(
        None,
        _OK,
        "case {number} was archived by entry {index} of the log, recorded {at}",
        "案件 {number} 由账本第 {index} 条归档（{at} 入账）",
    ),
    "archive.complete": Meaning(
        None,
        _OK,
        "all {exhibits} exhibits and {documents} documents are here under their numbers as they were frozen; "
        "root {root:.16}…",
        "归档时的 {exhibits} 件音像证据与 {documents} 份文书均按编号在此，与冻结清单一致；清单根值 {root:.16}…",
    ),
    "archive.excerpted": Meaning(
        None,
        _WARNING,
        "all {exhibits} exhibits and {documents} documents are here under their numbers, {excerpts} of them as "
        "excerpts: these were verified as far as they go, their originals were frozen whole; root {root:.16}…",
        "归档时的 {exhibits} 件音像证据与 {documents} 份文书均按编号在此，其中 {excerpts} 件仅为节选："
        "已核验节选所含部分，归档时冻结的是原始文件全文；清单根值 {root:.16}…",
    ),
    "archive.file_excerpted": Meaning(
        None,
        _WARNING,
        "the file of the archived case is here as an excerpt: the whole original was not verified",
        "归档案件的文件在此仅为节选：未核验原始文件全文",
    ),
    "archive.malformed": Meaning(
        None,
        _ERROR,
        "case.archive is no receipt of an archived case: {reason}",
        "case.archive 不是案件归档回执：{reason}",
    ),
    "archive.not_proved": Meaning(
        None,
        _ERROR,
        "the receipt of the archived case is not proved by a log that is believed: {codes}",
        "案件归档回执未能由受信账本证明：{codes}",
    ),
    "archive.root_differs": Meaning(
        None, _ERROR, "the root on record is not the one over the manifest", "入账的根值与冻结清单不符"
    ),
    "archive.other_case": Meaning(
        None, _ERROR, "the manifest is of another case than the package", "冻结清单与证据包不属于同一案件"
    ),
    "archive.file_missing": Meaning(
        None, _ERROR, "a file of the archived case is not here", "归档案件的一个文件不在此处"
    ),
    "archive.file_differs": Meaning(
        None,
        _ERROR,
        "what lies under this number is not the file of the archived case: {fields}",
        "此编号下的文件不是归档案件的文件：{fields}",
    ),
    "archive.file_unverified": Meaning(
        None,
        _ERROR,
        "the file of the archived case is here and was not verified: see what was found about it",
        "归档案件的文件在此，但未通过核验：见该文件的核验结果",
    ),
    "archive.file_strange": Meaning(
        None, _ERROR, "no file of the archived case belongs here", "归档案件在此处没有文件"
    ),
    "archive.number_unproved": Meaning(
        None,
        _ERROR,
        "the custody log does not prove that it was given number {number} in this case",
        "保管记录未能证明其在本案中的编号为 {number}",
    ),
    "archive.annotation_differs": Meaning(
        None,
        _ERROR,
        "the annotation is neither version {version}, which was frozen, nor a later one",
        "标注既不是归档时的第 {version} 版，也不是其后的版本",
    ),
    "archive.annotation_newer": Meaning(
        None,
        _WARNING,
        "version {version} of the annotation was frozen; the one here was written later",
        "归档时的标注为第 {version} 版，此处为其后的版本",
    ),
}
"""Code -> meaning."""
