"""Errors of the HTTP boundary: what can be wrong with a request before the domain sees it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from ledger.errors import Blame, CodedError


class ApiError(CodedError):
    """Base of the boundary's errors."""

    blame: ClassVar[Blame] = Blame.INPUT


class ConfigInvalid(ApiError):
    """A setting is missing, unknown or outside its range; the message names it."""

    code = "config.invalid"


class OriginMismatch(ApiError):
    """The data folder holds the key of another log than the one configured; a log never changes its name."""

    code = "config.origin_mismatch"


class RouteUnknown(ApiError):
    """There is nothing at this address."""

    code = "route.unknown"


class MethodRefused(ApiError):
    """The address exists but not for this method; see the header `Allow`."""

    code = "route.method"

    def __init__(self, message: str, *, methods: Sequence[str]) -> None:
        super().__init__(message, methods=list(methods))
        self.methods = tuple(methods)


class RequestMalformed(ApiError):
    """The body is not the format it claims to be: no JSON, no UTF-8."""

    code = "request.malformed"


class RequestInvalid(ApiError):
    """The body is well-formed but a field is missing, unknown, or outside its bounds; `details.fields` says which."""

    code = "request.invalid"


class QueryInvalid(ApiError):
    """A query parameter is unknown, given twice, or outside its bounds; `details.fields` says which."""

    code = "request.query"


class HeaderInvalid(ApiError):
    """A request header is missing or malformed; the message names it."""

    code = "request.header"


class BodyTooLarge(ApiError):
    """The body is longer than this address takes; `details.bytes_max` says how long it may be."""

    code = "request.too_large"


class BodyTooSlow(ApiError):
    """The body stopped coming. What an upload got so far is kept; ask for its offset and go on."""

    code = "request.timeout"
    blame = Blame.WAY


class BodyCutShort(ApiError):
    """The connection ended before the body did. What an upload got so far is kept; ask for its offset and go on."""

    code = "request.cut_short"
    blame = Blame.WAY


class MediaTypeRefused(ApiError):
    """The body's Content-Type is not one this address takes."""

    code = "request.media_type"


class EncodingRefused(ApiError):
    """The body has a Content-Encoding; offsets and digests are of the bytes as sent, so none is taken."""

    code = "request.encoding"


class PreconditionRequired(ApiError):
    """The change needs `If-Match` with the version it was based on; read the resource first."""

    code = "request.precondition_required"


class RangeUnsatisfiable(ApiError):
    """The range asked for lies outside the object; `Content-Range` says how long it is."""

    code = "request.range"

    def __init__(self, message: str, *, size: int) -> None:
        super().__init__(message, size=size)
        self.size = size


class AuthMissing(ApiError):
    """The request carries no `Authorization` header."""

    code = "auth.missing"


class AuthMalformed(ApiError):
    """The `Authorization` header is not `Bearer` and a staff token or a dock's signed token of the right shape."""

    code = "auth.malformed"


class AuthUnknownToken(ApiError):
    """The token, or the dock that it names, is not known here."""

    code = "auth.unknown_token"


class AuthSignature(ApiError):
    """The dock's token is not signed by the key that the dock was enrolled with."""

    code = "auth.signature"


class AuthAudience(ApiError):
    """The dock's token was made for another log than this one."""

    code = "auth.audience"


class AuthExpired(ApiError):
    """The token's time is over or has not come; compare the clock with the header `Date`."""

    code = "auth.expired"


class AuthRevoked(ApiError):
    """The token or the dock has been revoked."""

    code = "auth.revoked"


class RoleRefused(ApiError):
    """The caller is known and its role may not do this; `details.roles` says which may."""

    code = "auth.role"


class ScopeRefused(ApiError):
    """The token opens less than its holder's role may do, and not this; `details.scopes` says what it opens."""

    code = "auth.scope"


class CrossSite(ApiError):
    """A change was asked for with a session in a cookie, and not from this site's own pages."""

    code = "auth.cross_site"


class ScopeUnknown(ApiError):
    """A scope that a token shall have is none; `details.scopes` lists those there are."""

    code = "token.scope_unknown"


class PurposeUnknown(ApiError):
    """The purpose of a view is not on the list; `details.purposes` holds the list."""

    code = "view.purpose_unknown"


class RenditionMissing(ApiError):
    """The clip has no such rendition, or none yet; its state says whether one will come."""

    code = "view.rendition_missing"


class RecordingMissing(ApiError):
    """The clip came by itself, not as a part of a recording."""

    code = "recording.missing"


class TusVersionRefused(ApiError):
    """`Tus-Resumable` is missing or names another version; `Tus-Version` says which is spoken. Nothing was done."""

    code = "tus.version"


class TusChecksumUnsupported(ApiError):
    """`Upload-Checksum` names an algorithm that `Tus-Checksum-Algorithm` does not; nothing was taken."""

    code = "tus.checksum_unsupported"


class TusMetadataInvalid(ApiError):
    """`Upload-Metadata` is not a list of unique keys with base64 values."""

    code = "tus.metadata"


class CursorInvalid(ApiError):
    """The cursor was not made by this address; begin again without one."""

    code = "request.cursor"


class SystemAway(ApiError):
    """The disk or the database did not answer; nothing was acknowledged, the same request may succeed later."""

    code = "service.unavailable"
    blame = Blame.WAY


class LogAbsent(ApiError):
    """There is no log in this data folder or database yet; `shilu serve` begins one."""

    code = "log.absent"


class LogKeyMissing(ApiError):
    """The database belongs to a log whose signing key is not in keys/log.key; bring it there from its backup."""

    code = "log.key_missing"
    blame = Blame.WAY


class PublicPaused(ApiError):
    """This address asks for public pages more often than the setting PUBLIC_REQUESTS_PER_MINUTE allows; try later."""

    code = "public.paused"


class WatchersTooMany(ApiError):
    """As many people watch the docks as one process serves. Ask for the list of docks instead, or try later."""

    code = "docks.watchers"


class LogKeyExposed(ApiError):
    """The file of the log's key may be read by other accounts of the host. The message says the chmod; then rotate."""

    code = "keys.exposed"


class LogKeyDamaged(ApiError):
    """The file of the log's key holds no key, or another one than it states; bring it back from its backup."""

    code = "keys.damaged"


class PassphraseMissing(ApiError):
    """The log's key is protected and no passphrase is at hand; SHILU_LOG_KEY_PASSPHRASE_FILE names its file."""

    code = "keys.passphrase_missing"


class PassphraseUnusable(ApiError):
    """The passphrase cannot be read, or is no passphrase: one line of 8 to 1,024 bytes."""

    code = "keys.passphrase_unusable"


class PassphraseWrong(ApiError):
    """The passphrase does not open the log's key, or the encrypted block was altered; nothing was changed."""

    code = "keys.passphrase_wrong"
