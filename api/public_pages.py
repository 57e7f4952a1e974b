"""The public pages as HTML: Chinese first, without a script, printable, readable by a screen reader.

Every text goes through `escape`; what it says stands in an element of its own (`bdi`), so that no text turns the ones
beside it around. The one style is named in the policy by its digest: nothing else is loaded or run, whatever is said.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from html import escape
from uuid import UUID

from evidence.calendar.workdays import CHINA
from evidence.publicity.forms import known_forms
from evidence.publicity.public import PublicView
from evidence.publicity.report_store import Report
from evidence.publicity.reports import STATED
from evidence.publicity.store import IssueRow

_STYLE = (
    "body{font:17px/1.7 'Noto Sans CJK SC','PingFang SC','Microsoft YaHei',sans-serif;margin:0;"
    "color:#1a1a1a;background:#fff}"
    "header{background:#7a1f1f;color:#fff;padding:1em 0}main,.in{max-width:52em;margin:0 auto;padding:0 1.2em}"
    "header h1{font-size:1.35em;margin:0}header p{margin:0;font-size:.85em}nav a{color:#fff;margin-right:1.4em}"
    "a{color:#7a1f1f}h2{font-size:1.3em;margin:1.2em 0 .4em}small,.en{color:#595959;font-size:.82em}"
    "dl{display:grid;grid-template-columns:11em 1fr;margin:0;border-top:1px solid #ccc}"
    "dt,dd{margin:0;padding:.45em .3em;border-bottom:1px solid #ccc}dt{font-weight:600}"
    "dd{white-space:pre-wrap;overflow-wrap:anywhere}ul.list{list-style:none;padding:0;margin:0}"
    "ul.list li{border-bottom:1px solid #ccc;padding:.6em 0;overflow-wrap:anywhere}"
    "table{border-collapse:collapse;width:100%}th,td{border:1px solid #ccc;padding:.3em .6em;text-align:left}"
    "td.n{text-align:right}.gone{border-left:.4em solid #7a1f1f;background:#f6eeee;padding:.8em 1em;margin:1em 0}"
    "code{background:#f0f0f0;padding:.1em .3em;overflow-wrap:anywhere}"
    "footer{margin:2.5em 0 1.5em;font-size:.82em;color:#595959}"
    "@media(max-width:36em){dl{grid-template-columns:1fr}dt{border-bottom:0;padding-bottom:0}}"
    "@media print{header{background:none;color:#000;border-bottom:2px solid #000}nav,.noprint{display:none}"
    "a{color:#000;text-decoration:none}}"
)
_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

POLICY = (
    f"default-src 'none'; style-src 'sha256-{_DIGEST}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""What a public page may do: look as it looks, and send the form that asks for a day."""

_CAUSES = {
    "revoked": ("原决定已被依法撤销", "the decision was revoked"),
    "changed": ("原决定已被依法变更", "the decision was changed"),
    "invalid": ("原决定已被确认无效", "the decision was found void"),
    "unlawful": ("原决定已被确认违法", "the decision was found unlawful"),
    "redone": ("原决定被要求重新作出", "the decision has to be made again"),
    "erroneous": ("公示有误", "published in error"),
    "term": ("公开期限届满", "its term is over"),
}


def records_page(issues: Sequence[IssueRow], *, kind: str | None, following: UUID | None) -> str:
    """Show decisions, what was published last first."""
    kinds = known_forms().kinds
    links = " · ".join(
        f'<a href="/public?kind={name}"{_current(if_=name == kind)}>{escape(one.zh)}</a>' for name, one in kinds.items()
    )
    items = "".join(
        f'<li><a href="/public/records/{one.publication}"><bdi>{escape(_title(one))}</bdi></a><br>'
        f"<small><bdi>{escape(one.fields.get('authority', ''))}</bdi> · {escape(known_forms().kind(one.kind).zh)}"
        f" · {_day(one.published_at)} 公示</small></li>"
        for one in issues
    )
    only = "" if kind is None else f"&amp;kind={escape(kind)}"
    more = f'<p><a href="/public?cursor={following}{only}" rel="next">下一页 / next</a></p>' if following else ""
    shown = f'<ul class="list">{items}</ul>' if items else "<p>暂无公示信息。<br><small>Nothing is public.</small></p>"
    body = '<h2>行政执法决定 <span class="en">decisions</span></h2><p class="noprint">'
    return _page(
        "行政执法决定公示", f'{body}<a href="/public"{_current(if_=kind is None)}>全部</a> · {links}</p>{shown}{more}'
    )


def record_page(view: PublicView) -> str:
    """Show one record with its proof, or the tombstone of one that is gone."""
    if view.issue is None:
        zh, en = _CAUSES.get(view.cause, (view.cause, view.cause))
        when = "" if view.gone_at is None else f"已于 {_minute(view.gone_at)} "
        content = (
            f'<h2>该信息已撤下 <span class="en">withdrawn</span></h2><div class="gone" role="status">'
            f'<p>该公示信息{when}撤下：{escape(zh)}。<br><span class="en">{escape(en)}</span></p>'
            f"<p>说明：<bdi>{escape(view.reason)}</bdi></p></div>"
        )
        return _page("该信息已撤下", content + _versions(view) + _proof(view))
    issue = view.issue
    form = known_forms().forms[issue.form]
    rows = [(known_forms().fields[name], issue.fields[name]) for name in form.order if name in issue.fields]
    listed = "".join(
        f'<dt>{escape(field.zh)}<br><span class="en">{escape(field.en)}</span></dt><dd><bdi>{escape(text)}</bdi></dd>'
        for field, text in rows
    )
    until = "" if issue.until is None else f" · 公开至 {issue.until.isoformat()}"
    head = (
        f"<h2><bdi>{escape(_title(issue))}</bdi></h2><p><small>{escape(known_forms().kind(issue.kind).zh)} · "
        f"{_minute(issue.published_at)} 公示 · 第 {issue.version} 版{until}</small></p>"
    )
    return _page(_title(issue), f"{head}<dl>{listed}</dl>{_versions(view)}{_proof(view)}")


def registers_page(issues: Sequence[IssueRow], *, on: date) -> str:
    """Show the registers in force on a day, and ask for another day."""
    ordered = sorted(issues, key=lambda one: (list(known_forms().registers).index(one.kind), one.publication))
    items = "".join(
        f'<li><a href="/public/records/{one.publication}?on={on.isoformat()}"><bdi>{escape(_title(one))}</bdi></a><br>'
        f"<small>{escape(known_forms().kind(one.kind).zh)} · 第 {one.version} 版 · "
        f"{one.effective_from} 起施行</small></li>"
        for one in ordered
    )
    shown = (
        f'<ul class="list">{items}</ul>' if items else "<p>该日无施行的清单。<br><small>None was in force.</small></p>"
    )
    ask = (
        '<form method="get" class="noprint"><label>查询某日施行的版本 <span class="en">in force on</span> '
        f'<input type="date" name="on" value="{on.isoformat()}"></label> <button>查询</button></form>'
    )
    return _page("事前公开", f'<h2>事前公开 <span class="en">registers, {on.isoformat()}</span></h2>{ask}{shown}')


def reports_page(reports: Sequence[Report]) -> str:
    """Show the reports: what was counted, and what was stated."""
    parts = "".join(
        f"<h2>{escape(one.period)} 行政执法总体情况</h2>"
        f"<p><small>{_minute(one.reported_at)} 公布 · 据账本前 {one.size} 条统计"
        f"（根值 <code>{one.root.hex()[:16]}…</code>），可复算</small></p>"
        f"<table><thead><tr><th>指标 figure</th><th>数值</th><th>来源 source</th></tr></thead><tbody>"
        f"{_figures(one.figures, '账本统计 counted')}{_figures(one.stated, '机关填报 stated')}</tbody></table>"
        for one in reports
    )
    return _page("统计报告", parts or "<h2>统计报告</h2><p>暂无报告。</p>")


def _figures(figures: Mapping[str, int], source: str) -> str:
    return "".join(
        f'<tr><td>{escape(_figure(name))}</td><td class="n">{number}</td><td>{source}</td></tr>'
        for name, number in figures.items()
    )


def _figure(name: str) -> str:
    if name in STATED:
        return " ".join(STATED[name])
    first, _, rest = name.partition(".")
    verbs = {"published": "公示", "corrected": "更正", "withdrawn": "撤下"}
    if first in verbs:
        what = _CAUSES.get(rest, (known_forms().kind(rest).zh,))[0]
        return f"{verbs[first]}：{what} {name}"
    titles = {
        "cases.opened": "立案",
        "cases.archived": "归档案卷",
        "clips.sealed": "入账音像记录",
        "officers.certified": "持证执法人员",
        "officers.uncertified": "未持有效证件人员",
    }
    return f"{titles.get(name, '')} {name}".strip()


def _versions(view: PublicView) -> str:
    items = "".join(f"<li>第 {one.version} 版：{_minute(one.published_at)} 公示</li>" for one in view.versions)
    gone = "" if view.gone_at is None else f"<li>{_minute(view.gone_at)} 撤下</li>"
    return f'<h2>公示经过 <span class="en">history</span></h2><ul>{items}{gone}</ul>'


def _proof(view: PublicView) -> str:
    name = f"{view.publication}.published"
    return (
        '<section class="noprint"><h2>核验 <span class="en">check it yourself</span></h2>'
        f'<p><a href="/public/records/{view.publication}/proof" download="{name}">下载证明 / download the proof</a>，'
        "以另行从可信渠道取得的日志公钥离线核验：<br>"
        f"<code>shilu-verify {name} --log-key KEY</code></p></section>"
    )


def _page(title: str, content: str) -> str:
    return (
        f'<!DOCTYPE html>\n<html lang="zh-CN"><head><meta charset="utf-8">'
        f"<title>{escape(title)} · 行政执法信息公示</title>"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer">'
        '<link rel="alternate" type="application/feed+json" title="行政执法信息公示" href="/public/feed.json">'
        f'<style>{_STYLE}</style></head><body><header><div class="in"><h1>行政执法信息公示</h1>'
        '<p lang="en">Publicity of administrative enforcement</p>'
        '<nav aria-label="栏目"><a href="/public">执法决定</a><a href="/public/registers">事前公开</a>'
        '<a href="/public/reports">统计报告</a></nav></div></header>'
        f"<main>{content}<footer>公示内容逐条记入不可篡改的账本；时间为北京时间。<br>"
        '<span lang="en">Every record is an entry '
        "of a tamper-evident log; times are Beijing time.</span></footer></main></body></html>\n"
    )


def _title(issue: IssueRow) -> str:
    fields = issue.fields
    if "title" in fields:
        return fields["title"]
    parts: Iterable[str | None] = (fields.get("document_number"), fields.get("subject"), fields.get("matter"))
    return " ".join(one for one in parts if one) or str(issue.publication)


def _current(*, if_: bool) -> str:
    return ' aria-current="page"' if if_ else ""


def _day(instant: datetime) -> str:
    return instant.astimezone(CHINA).date().isoformat()


def _minute(instant: datetime) -> str:
    return instant.astimezone(CHINA).strftime("%Y-%m-%d %H:%M")
