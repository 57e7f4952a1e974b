"""Routes about units, what recorders are, where docks stand, and lists to import."""

from __future__ import annotations

from api.bodies import FileBody, JsonBody
from api.handlers import imports, units
from api.models.common import PageQuery, Recorded
from api.models.recorders import RecordersQuery
from api.models.registers import (
    DescribeRecorder,
    DescribeUnit,
    ImportItem,
    ImportQuery,
    PlaceDock,
    PlacementPage,
    RegisteredRecorder,
    RegisteredUnit,
    RegistrationPage,
    UnitDetail,
    UnitPage,
)
from api.route import Answer, Header, Route, json_of
from api.routes.access import ADMINISTRATORS, STAFF
from api.routes.clips import IDEMPOTENCY
from evidence.registers.sheets import FILE_BYTES_MAX

IF_MATCH = Header(
    name="If-Match", means='Version that the change is based on, from the ETag; `"0"` for none', required=True
)

_UNIT_WORDS = (
    "party.name_lookalike",
    "party.name_invalid",
    "unit.invalid",
    "unit.unknown",
    "unit.code_taken",
    "register.validity_invalid",
)

UNIT_ROUTES: tuple[Route, ...] = (
    Route(
        name="register_unit",
        method="POST",
        path="/v1/units",
        summary="Register a unit, below another one or not",
        roles=ADMINISTRATORS,
        handle=units.register,
        body=JsonBody(DescribeUnit),
        answers=(json_of(201, RegisteredUnit, "On record"),),
        errors=(*_UNIT_WORDS, "idempotency.conflict", "request.header"),
        headers=(IDEMPOTENCY,),
        tag="registers",
    ),
    Route(
        name="list_units",
        method="GET",
        path="/v1/units",
        summary="Units as registered last, in order of their ids",
        roles=STAFF,
        handle=units.list_all,
        query=PageQuery,
        answers=(json_of(200, UnitPage, "A page"),),
        errors=("request.cursor",),
        tag="registers",
    ),
    Route(
        name="get_unit",
        method="GET",
        path="/v1/units/{unit}",
        summary="A unit, every version of it, what is above and below it; the ETag is the version",
        roles=STAFF,
        handle=units.get,
        answers=(json_of(200, UnitDetail, "The unit"),),
        errors=("unit.unknown",),
        tag="registers",
    ),
    Route(
        name="change_unit",
        method="PUT",
        path="/v1/units/{unit}",
        summary="State another version of a unit: moved, renamed, closed",
        roles=ADMINISTRATORS,
        handle=units.change,
        body=JsonBody(DescribeUnit),
        answers=(json_of(200, RegisteredUnit, "On record"),),
        errors=(*_UNIT_WORDS, "register.stale", "request.header", "request.precondition_required"),
        headers=(IF_MATCH,),
        tag="registers",
    ),
    Route(
        name="register_recorder",
        method="POST",
        path="/v1/recorders/registrations",
        summary="Say what a recorder is: serial number, model, unit, kind, state",
        roles=ADMINISTRATORS,
        handle=units.register_device,
        body=JsonBody(DescribeRecorder),
        answers=(json_of(201, RegisteredRecorder, "On record"),),
        errors=(
            *("party.name_invalid", "unit.unknown", "register.stale"),
            *("request.header", "request.precondition_required"),
        ),
        headers=(IF_MATCH,),
        tag="registers",
    ),
    Route(
        name="list_registrations",
        method="GET",
        path="/v1/recorders/registrations",
        summary="What recorders are, in order of their numbers",
        roles=STAFF,
        handle=units.list_devices,
        query=RecordersQuery,
        answers=(json_of(200, RegistrationPage, "A page"),),
        tag="registers",
    ),
    Route(
        name="place_dock",
        method="POST",
        path="/v1/docks/{dock}/placements",
        summary="Say in which unit a dock stands from now on",
        roles=ADMINISTRATORS,
        handle=units.place,
        body=JsonBody(PlaceDock),
        answers=(json_of(201, Recorded, "On record"),),
        errors=("dock.unknown", "unit.unknown", "idempotency.conflict", "request.header"),
        headers=(IDEMPOTENCY,),
        tag="registers",
    ),
    Route(
        name="list_placements",
        method="GET",
        path="/v1/docks/{dock}/placements",
        summary="In which units a dock stood, and since when; null where in none",
        roles=STAFF,
        handle=units.placements,
        query=PageQuery,
        answers=(json_of(200, PlacementPage, "A page"),),
        errors=("dock.unknown", "request.cursor"),
        tag="registers",
    ),
    Route(
        name="import_template",
        method="GET",
        path="/v1/registers/{register}/template",
        summary="An empty list with its headings, CSV in UTF-8",
        roles=STAFF,
        handle=imports.template,
        answers=(Answer(status=200, means="The list", media_type="text/csv"),),
        tag="registers",
    ),
    Route(
        name="import_register",
        method="POST",
        path="/v1/registers/{register}/imports",
        summary="Import a list, CSV or XLSX: a dry run names every bad row, `apply=true` takes all rows or none",
        roles=ADMINISTRATORS,
        handle=imports.run,
        body=FileBody(FILE_BYTES_MAX),
        query=ImportQuery,
        answers=(json_of(200, ImportItem, "What was found, and whether it was applied"),),
        errors=("register.file_invalid", "register.rows_refused", "party.name_invalid"),
        tag="registers",
    ),
)
