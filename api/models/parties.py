"""JSON about docks, their statements, and staff tokens."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field

from api.bodies import RequestModel
from api.models.common import Page, ResponseModel, Time
from evidence.parties.docks import CODE_HOURS_MAX
from evidence.parties.names import NAME_CHARACTERS_MAX, REASON_CHARACTERS_MAX
from evidence.parties.roles import Role
from evidence.parties.staff import TOKEN_DAYS_MAX


class EnrolDock(RequestModel):
    """A dock asks to be let in."""

    code: str = Field(min_length=1, max_length=100, description="One-time code from an administrator")
    name: str = Field(min_length=1, max_length=NAME_CHARACTERS_MAX, description="What people call the dock")
    vkey: str = Field(min_length=1, max_length=500, description="Verifier key named `dock.<uuid the dock chose>`")


class EnrolledDock(ResponseModel):
    """A dock is in; it keeps the log's key and trusts no other."""

    dock: UUID
    origin: str = Field(description="Name of the log, the audience of the dock's tokens")
    log_vkey: str = Field(description="Verifier key of the log")
    policy: str = Field(description="Trust policy of the log (C2SP tlog-policy)")


class MakeCode(RequestModel):
    """An administrator wants a code for a dock."""

    valid_hours: int = Field(72, ge=1, le=CODE_HOURS_MAX, description="Life of the code in hours")


class MadeCode(ResponseModel):
    """The only copy of a code."""

    code: str
    expires_at: Time


class DockKeyState(ResponseModel):
    """Which key of a dock counts."""

    dock: UUID
    sequence: int = Field(description="How often its key was changed")
    vkey: str = Field(description="The key that counts now")
    since: Time = Field(description="Since when it counts")


class RotatedKey(ResponseModel):
    """Another key of a dock counts from now on."""

    dock: UUID
    sequence: int = Field(description="Number of the change, from 1")
    vkey: str = Field(description="The key that counts now")
    entry: UUID = Field(description="Id of the ledger entry")


class Revoke(RequestModel):
    """Something shall not be trusted any more."""

    reason: str = Field(min_length=1, max_length=REASON_CHARACTERS_MAX, description="Why; goes on record")


class TakenInventory(ResponseModel):
    """An inventory is on record."""

    inventory: UUID
    entry: UUID = Field(description="Id of the ledger entry")


class IssueToken(RequestModel):
    """An administrator wants a token for a person."""

    name: str = Field(min_length=1, max_length=NAME_CHARACTERS_MAX, description="The person's name")
    role: Role = Field(description="What the person may do; not `dock`")
    valid_days: int = Field(90, ge=1, le=TOKEN_DAYS_MAX, description="Life of the token in days")
    staff: UUID | None = Field(None, description="The person's id from an earlier token; without it a new person")
    scopes: list[str] | None = Field(
        None,
        max_length=100,
        description="Groups of routes that it opens, such as `clips.read`; without, everything that the role may",
    )


class RotateToken(RequestModel):
    """A token shall be replaced by a new one of the same person and role."""

    reason: str = Field(min_length=1, max_length=REASON_CHARACTERS_MAX, description="Why; goes on record")
    valid_days: int | None = Field(
        None, ge=1, le=TOKEN_DAYS_MAX, description="Life of the new token in days; without it, as long as the old one's"
    )


class IssuedToken(ResponseModel):
    """The only copy of a token."""

    text: str = Field(description="What goes behind `Bearer`")
    token: UUID
    staff: UUID
    expires_at: Time
    entry: UUID = Field(description="Id of the ledger entry")


class TokenItem(ResponseModel):
    """One staff token as it stands; the token itself is not kept."""

    token: UUID
    staff: UUID
    name: str
    role: Role
    scopes: list[str] | None = Field(description="Groups of routes it opens; null for everything that the role may")
    issued_at: Time
    expires_at: Time
    revoked_at: Time | None
    revoked_reason: str | None


class TokenPage(Page[TokenItem]):
    """Staff tokens in the order they were issued in."""
