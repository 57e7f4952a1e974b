"""The table of all routes: an address that is not here does not exist.

Dispatch, authorisation, the OpenAPI document, the authorisation matrix of the tests and docs/api.md are made from it.
"""

from __future__ import annotations

from api.route import Route
from api.routes.accounts import ACCOUNT_ROUTES, SESSION_ROUTES
from api.routes.annotations import ANNOTATION_ROUTES
from api.routes.calendar import CALENDAR_ROUTES
from api.routes.case_files import CASE_FILE_ROUTES
from api.routes.cases import CASE_ROUTES
from api.routes.clip_links import CLIP_LINK_ROUTES
from api.routes.clips import CLIP_ROUTES
from api.routes.console import CONSOLE_ROUTES
from api.routes.custody import CUSTODY_ROUTES
from api.routes.deadlines import DEADLINE_ROUTES
from api.routes.exports import EXPORT_ROUTES
from api.routes.grants import GRANT_ROUTES
from api.routes.items import ITEM_ROUTES
from api.routes.oidc import OIDC_ROUTES
from api.routes.operations import OPERATION_ROUTES
from api.routes.outbox import OUTBOX_ROUTES
from api.routes.parties import PARTY_ROUTES
from api.routes.public import PUBLIC_ROUTES
from api.routes.publicity import PUBLICITY_ROUTES
from api.routes.recorders import RECORDER_ROUTES
from api.routes.registers import REGISTER_ROUTES
from api.routes.retention import RETENTION_ROUTES
from api.routes.reviews import REVIEW_ROUTES
from api.routes.searches import SEARCH_ROUTES
from api.routes.service import LOG_ROUTES, SERVICE_ROUTES
from api.routes.statistics import STATISTICS_ROUTES
from api.routes.swift import SWIFT_ROUTES
from api.routes.uploads import UPLOAD_ROUTES

ROUTES: tuple[Route, ...] = (
    *SERVICE_ROUTES,
    *LOG_ROUTES,
    *PARTY_ROUTES,
    *SESSION_ROUTES,
    *ACCOUNT_ROUTES,
    *OIDC_ROUTES,
    *OUTBOX_ROUTES,
    *OPERATION_ROUTES,
    *RECORDER_ROUTES,
    *REGISTER_ROUTES,
    *CALENDAR_ROUTES,
    *UPLOAD_ROUTES,
    *CLIP_ROUTES,
    *CUSTODY_ROUTES,
    *SEARCH_ROUTES,
    *ANNOTATION_ROUTES,
    *CASE_ROUTES,
    *RETENTION_ROUTES,
    *CASE_FILE_ROUTES,
    *REVIEW_ROUTES,
    *STATISTICS_ROUTES,
    *PUBLICITY_ROUTES,
    *PUBLIC_ROUTES,
    *GRANT_ROUTES,
    *ITEM_ROUTES,
    *EXPORT_ROUTES,
    *CLIP_LINK_ROUTES,
    *DEADLINE_ROUTES,
    *CONSOLE_ROUTES,
    *SWIFT_ROUTES,
)
