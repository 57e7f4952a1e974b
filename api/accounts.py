"""What people sign in with, out of the settings."""

from __future__ import annotations

from datetime import timedelta

from api.config import ServiceConfig
from evidence.accounts.passwords import HashSettings, Passwords
from evidence.accounts.sign_in import SignIn
from evidence.core.clock import Clock, Entropy
from evidence.db.pool import Pool


def make_sign_in(config: ServiceConfig, pool: Pool, *, clock: Clock, entropy: Entropy) -> SignIn:
    """Build what lets people in."""
    cost = HashSettings(
        passes=config.password_passes, memory_kib=config.password_memory_kib, lanes=config.password_lanes
    )
    return SignIn(
        pool,
        Passwords(cost, characters_min=config.password_characters_min),
        lifetime=timedelta(seconds=config.session_seconds),
        second_factor_required=config.second_factor_required,
        clock=clock,
        entropy=entropy,
    )
