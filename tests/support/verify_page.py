"""Having a folder judged twice, by `verify.html` in a browser and by `shilu-verify`, and comparing the reports."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from evidence.verify.cli import main
from tests.support.browser import Tab

_FOR_PEOPLE = ("package.page_differs", "package.readme_differs", "bag.foreign")


async def judge(
    tab: Tab, chosen: Path | Sequence[Path], *, log_key: str = "", roots: Path | None = None
) -> dict[str, Any]:
    """Have the page judge a folder or files, and return its report."""
    await tab.choose_files("#roots", [roots] if roots else [])
    await tab.evaluate(f"window.shiluReport = null; byId('key').value = {json.dumps(log_key)}")
    await tab.choose_files(*(("#folder", [chosen]) if isinstance(chosen, Path) else ("#files", chosen)))
    report: dict[str, Any] = await tab.until("window.shiluReport")
    return report


def judge_here(
    capsys: pytest.CaptureFixture[str], path: Path, *, log_key: str = "", roots: Path | None = None
) -> dict[str, Any]:
    """Have the Python verifier judge the same, and return its report."""
    capsys.readouterr()
    more = [*(["--log-key", log_key] if log_key else []), *(["--tsa-roots", str(roots)] if roots else [])]
    main(["--json", "--quiet", str(path), *more])
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    return report


def comparable(report: dict[str, Any], *, above: Path) -> dict[str, Any]:
    """Drop what differs by nature: where files lie, what a page owes besides, and how a JSON parser complains."""
    text = json.dumps(report, ensure_ascii=False).replace(f"{above}/", "")
    plain: dict[str, Any] = json.loads(text)
    del plain["owed"]
    # A page cannot judge itself, nor what lies beside it for people: only shilu-verify compares these two.
    plain["remarks"] = [one for one in plain["remarks"] if one["code"] not in _FOR_PEOPLE]
    for found in [*plain["remarks"], *(found for item in plain["items"] for found in item["findings"])]:
        reason = found["details"].get("reason", "")
        if "not JSON in UTF-8" in reason or found["code"].startswith("file."):
            del found["message"]
            found["details"].pop("reason", None)
    return plain
