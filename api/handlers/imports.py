"""Lists of units, officers and recorders: templates, dry runs, imports."""

from __future__ import annotations

from aiohttp import web

from api.answers import json_answer
from api.call import Call
from api.models.registers import BadCellItem, ImportItem, ImportQuery
from api.route import NoQuery
from evidence.registers.importers import template_of
from evidence.registers.importing import ImportReport, RegisterKind, as_details, import_register


async def template(call: Call[None, NoQuery]) -> web.Response:
    """Return an empty list with its headings."""
    name = call.request.match_info["register"]
    return web.Response(
        body=template_of(name),
        headers={"Content-Type": "text/csv", "Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


async def run(call: Call[bytes, ImportQuery]) -> web.Response:
    """Take a list into a register, or say what would come of it."""
    services = call.services
    report = await import_register(
        services.pool,
        call.body,
        kind=RegisterKind(call.request.match_info["register"]),
        name=call.query.name,
        apply=call.query.apply,
        actor=call.actor,
        clock=services.clock,
        entropy=services.entropy,
    )
    return json_answer(import_item(report))


def import_item(report: ImportReport) -> ImportItem:
    """Show what an import found."""
    return ImportItem(
        kind=report.kind.value,
        name=report.name,
        sha256=report.sha256,
        rows=report.rows,
        changed=report.changed,
        applied=report.applied,
        bad=[BadCellItem.model_validate(one) for one in as_details(report.bad, count_max=len(report.bad))],
    )
