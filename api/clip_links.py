"""Links to watch one clip by, for requests: the composition of `ingest.marked_copies`."""

from __future__ import annotations

from api.services import Services
from ingest.marked_copies import MarkedCopyMaker


def marker_of(services: Services) -> MarkedCopyMaker:
    """Return what makes marked copies in this house."""
    return MarkedCopyMaker(
        pool=services.pool,
        objects=services.objects,
        folder=services.folders.shares,
        clock=services.clock,
        entropy=services.entropy,
    )
