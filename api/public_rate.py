"""How often one address may ask for public pages: a bucket per address that refills with time.

Kept in the process alone: several `serve` each count for themselves, and a restart forgets. That is enough against a
careless crawler; against an attack a proxy stands before the service.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from api.errors import PublicPaused

ADDRESSES_MAX = 10_000
"""Most addresses that are remembered; the one that asked longest ago is forgotten first."""

_MINUTE_SECONDS = 60.0


class PublicRate:
    """Counts requests by address.

    Args:
        per_minute: How many one address may make in a minute, and at once.
        monotonic: Seconds from any beginning that only grow.
    """

    def __init__(self, per_minute: int, monotonic: Callable[[], float]) -> None:
        self._most = float(per_minute)
        self._monotonic = monotonic
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, address: str) -> None:
        """Count one request of an address.

        Raises:
            PublicPaused: It has none left; the bucket is not touched.
        """
        now = self._monotonic()
        left, since = self._left.pop(address, (self._most, now))
        left = min(self._most, left + (now - since) * self._most / _MINUTE_SECONDS)
        self._left[address] = (left - 1 if left >= 1 else left, now)
        if len(self._left) > ADDRESSES_MAX:
            self._left.popitem(last=False)
        if left < 1:
            raise PublicPaused("too many requests from this address", per_minute=int(self._most))
