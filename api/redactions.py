"""Redacted copies for commands and requests: the composition of `ingest.redactions`."""

from __future__ import annotations

from api.services import Services
from ingest.redactions import Redactor


def redactor_of(services: Services) -> Redactor:
    """Return what makes redacted copies in this house."""
    return Redactor(
        pool=services.pool,
        objects=services.objects,
        workspace=services.folders.work,
        clock=services.clock,
        entropy=services.entropy,
    )
