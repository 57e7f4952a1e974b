"""Problems: every error as it leaves the house, by RFC 9457, with a stable `code` and whether another try can help.

`PROBLEMS` is the one place where a code meets HTTP. A test compares it with all error classes of the house and with
docs/errors.md; a code that is missing here leaves as 500 `internal`, which is what an unforeseen error is.

    never    the same request will be refused for ever
    later    the same request may succeed later; `Retry-After` says when to try
    fixed    it will succeed once something is put right: the clock, the token, the offset, the version
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from inspect import cleandoc
from types import MappingProxyType

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from api.errors import MethodRefused, RangeUnsatisfiable, TusVersionRefused
from api.tus import VERSION as TUS_VERSION
from evidence.accounts.errors import SignInPaused
from ingest.errors import UploadOffsetMismatch, UploadTooLarge
from ledger.errors import CodedError

MEDIA_TYPE = "application/problem+json"

RETRY_AFTER_SECONDS = 5
"""Pause that is asked for with every `later`."""


class Retry(StrEnum):
    """Whether to send the same request again."""

    NEVER = "never"
    LATER = "later"
    FIXED = "fixed"


@dataclass(frozen=True, slots=True)
class Treatment:
    """How a code is shown: its HTTP status and its retry meaning."""

    status: int
    retry: Retry


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str = Field(description="`urn:shilu:problem:` followed by the code")
    title: str = Field(description="What the code means, the same every time")
    status: int = Field(description="HTTP status")
    code: str = Field(description="Stable code, see docs/errors.md")
    retry: Retry = Field(description="Whether the same request can succeed: never, later, or once something is fixed")
    detail: str = Field(description="What is wrong in this very case")
    instance: str = Field(description="`urn:uuid:` of the request, also in the header `X-Request-Id` and in the log")
    details: dict[str, object] = Field(default_factory=dict, description="Facts about this case")


def _table(groups: Iterable[tuple[int, Retry, str]]) -> Mapping[str, Treatment]:
    table = {}
    for status, retry, codes in groups:
        for code in codes.split():
            table[code] = Treatment(status, retry)
    return MappingProxyType(table)


PROBLEMS = _table(
    [
        # The request is malformed, and will stay so.
        (400, Retry.NEVER, "request.malformed request.invalid request.query request.header request.cursor"),
        (400, Retry.NEVER, "tus.metadata tus.checksum_unsupported upload.concat_invalid upload.empty"),
        (400, Retry.NEVER, "upload.name_invalid upload.metadata_invalid"),
        (400, Retry.NEVER, "wire.malformed wire.version wire.limit wire.path time.invalid file.empty receipt.mismatch"),
        (400, Retry.NEVER, "party.name_invalid party.role_invalid party.expiry_invalid dock.key_invalid"),
        (400, Retry.NEVER, "token.scope_unknown"),
        (400, Retry.NEVER, "access.invalid"),
        (404, Retry.NEVER, "access.grant_unknown"),
        (409, Retry.NEVER, "access.already_withdrawn"),
        (400, Retry.NEVER, "recorder.assignment_invalid calendar.invalid retention.invalid"),
        (400, Retry.NEVER, "annotation.invalid case.invalid search.invalid view.purpose_unknown"),
        (400, Retry.NEVER, "items.invalid"),
        (404, Retry.NEVER, "case.exhibit_unknown"),
        (409, Retry.FIXED, "case.statement_refused case.archive_refused case.not_archived"),
        (409, Retry.NEVER, "case.exemption_refused case.archived"),
        (412, Retry.FIXED, "case.stale"),
        # Legal review, and the decision behind it.
        (400, Retry.NEVER, "review.rules_invalid"),
        (400, Retry.FIXED, "review.signature_invalid review.opinion_refused"),
        (403, Retry.FIXED, "review.same_person review.not_qualified"),
        (404, Retry.NEVER, "review.transfer_unknown review.round_unknown decision.unknown"),
        (409, Retry.FIXED, "review.rules_unknown review.rules_backdated review.not_now review.submission_refused"),
        (409, Retry.FIXED, "review.evidence_changed review.key_missing review.correction_refused decision.refused"),
        (409, Retry.FIXED, "decision.revocation_refused"),
        (409, Retry.NEVER, "decision.made"),
        (500, Retry.LATER, "review.clock_behind"),
        (400, Retry.NEVER, "canonical.malformed commitment.malformed entry.malformed key.malformed note.malformed"),
        (400, Retry.NEVER, "note.unsigned note.signature checkpoint.malformed checkpoint.origin policy.malformed"),
        (400, Retry.NEVER, "proof.invalid proof.malformed proof.impossible tile.path tile.malformed bundle.malformed"),
        (400, Retry.NEVER, "log_key.malformed log_key.false log_key.chain log_key.not_speaking"),
        (400, Retry.FIXED, "upload.length_unknown policy.unmet"),
        (
            404,
            Retry.NEVER,
            "route.unknown upload.unknown clip.unknown clip.leaves_missing case.unknown dock.unknown token.unknown",
        ),
        (404, Retry.NEVER, "annotation.unknown proposal.unknown"),
        (409, Retry.NEVER, "proposal.taken"),
        (409, Retry.FIXED, "proposal.unseen annotation.bulk_refused"),
        (409, Retry.FIXED, "proposal.unseen"),
        (404, Retry.NEVER, "search.unknown"),
        (409, Retry.NEVER, "search.name_taken"),
        (409, Retry.FIXED, "search.too_many"),
        (503, Retry.LATER, "search.too_slow docks.watchers"),
        (404, Retry.NEVER, "recorder.unknown recorder.finding_unknown"),
        (404, Retry.FIXED, "officer.unknown items.unknown"),
        (404, Retry.LATER, "view.rendition_missing"),
        (404, Retry.FIXED, "ticket.unknown upload.not_quarantined redaction.unknown"),
        (405, Retry.NEVER, "route.method"),
        (408, Retry.LATER, "request.timeout request.cut_short upload.stalled"),
        (412, Retry.FIXED, "tus.version annotation.stale"),
        (413, Retry.NEVER, "request.too_large upload.too_large upload.length_exceeded excerpt.too_long"),
        (415, Retry.NEVER, "request.media_type request.encoding"),
        (416, Retry.FIXED, "request.range"),
        (428, Retry.FIXED, "request.precondition_required"),
        # Registers, and whose a clip is.
        (400, Retry.NEVER, "unit.invalid register.validity_invalid register.file_invalid register.word_unknown"),
        (422, Retry.FIXED, "register.rows_refused"),
        (404, Retry.FIXED, "unit.unknown"),
        (409, Retry.FIXED, "clip.blocked"),
        (409, Retry.NEVER, "unit.code_taken attribution.not_open"),
        (412, Retry.FIXED, "register.stale"),
        # Deliveries of controllers: 400 is never stored, 503 is tried again soon, as their interface says.
        (400, Retry.NEVER, "swift.name_invalid swift.metadata_invalid swift.unsupported swift.too_large swift.sealed"),
        (400, Retry.FIXED, "swift.nothing_recorded swift.lost"),
        (404, Retry.FIXED, "swift.container_unknown"),
        (404, Retry.NEVER, "swift.object_unknown controller.unknown recording.missing"),
        (403, Retry.NEVER, "swift.foreign swift.kept"),
        (409, Retry.NEVER, "controller.already_revoked"),
        (422, Retry.LATER, "swift.etag_mismatch"),
        (503, Retry.LATER, "swift.elsewhere"),
        # The caller is not who may do this.
        (401, Retry.FIXED, "auth.missing auth.malformed auth.unknown_token auth.signature auth.audience auth.expired"),
        (401, Retry.NEVER, "auth.revoked"),
        (401, Retry.FIXED, "auth.sign_in_refused auth.second_factor"),
        (403, Retry.NEVER, "auth.cross_site"),
        # Signing in with the agency's provider.
        (403, Retry.FIXED, "auth.not_linked auth.provider_refused auth.flow_refused auth.second_factor_unstated"),
        (403, Retry.NEVER, "auth.id_token_refused"),
        (503, Retry.LATER, "auth.provider_unavailable"),
        (400, Retry.NEVER, "account.subject_invalid"),
        (409, Retry.NEVER, "account.link_taken"),
        (429, Retry.LATER, "auth.paused public.paused"),
        (400, Retry.NEVER, "account.login_invalid account.roles_invalid account.password_refused"),
        (404, Retry.NEVER, "account.unknown session.unknown"),
        (409, Retry.NEVER, "account.taken account.disabled party.name_lookalike"),
        (409, Retry.FIXED, "account.totp_not_pending account.totp_not_enrolled"),
        (412, Retry.FIXED, "account.stale"),
        (400, Retry.NEVER, "outbox.invalid"),
        (403, Retry.FIXED, "outbox.target_refused"),
        (404, Retry.NEVER, "outbox.unknown"),
        (400, Retry.NEVER, "deadline.rules_invalid deadline.statement_invalid"),
        (404, Retry.NEVER, "deadline.rules_unknown deadline.unknown"),
        (409, Retry.NEVER, "deadline.rules_backdated deadline.conflict deadline.extension_refused"),
        (500, Retry.LATER, "account.secret_differs"),
        (403, Retry.NEVER, "auth.role auth.scope wire.signature access.denied"),
        (403, Retry.FIXED, "dock.code_refused ticket.expired"),
        (403, Retry.NEVER, "ticket.foreign"),
        (403, Retry.NEVER, "upload.final"),
        # The request is right in itself and does not fit what is there.
        (409, Retry.NEVER, "token.already_revoked dock.already_enrolled dock.already_revoked inventory.conflict"),
        (409, Retry.FIXED, "token.expired dock.not_in_force dock.key_superseded dock.key_reused"),
        (409, Retry.NEVER, "idempotency.conflict case.number_taken ledger.duplicate_entry export.target_taken"),
        (409, Retry.NEVER, "export.empty export.refused export.spans_invalid"),
        (409, Retry.LATER, "export.not_ready"),
        (413, Retry.NEVER, "export.too_large export.too_many_spans"),
        (404, Retry.NEVER, "export.unknown share.unknown"),
        (400, Retry.NEVER, "share.invalid"),
        (409, Retry.LATER, "share.not_ready"),
        (421, Retry.LATER, "export.elsewhere"),
        (507, Retry.LATER, "export.no_space"),
        (500, Retry.LATER, "certificate.impossible"),
        (409, Retry.NEVER, "clip.already_sealed manifest.disagrees manifest.misplaced upload.finished"),
        (409, Retry.NEVER, "upload.length_declared upload.part_taken"),
        (409, Retry.FIXED, "items.ambiguous items.backdated case.kind_unknown"),
        (409, Retry.FIXED, "excerpt.impossible excerpt.cut_refused redaction.refused"),
        (404, Retry.FIXED, "still.outside still.no_pictures"),
        (409, Retry.FIXED, "still.undecodable still.unplaced still.no_index"),
        (409, Retry.LATER, "still.not_derived"),
        (400, Retry.NEVER, "redaction.invalid"),
        (409, Retry.FIXED, "upload.offset_mismatch upload.not_inventoried upload.incomplete upload.taken_over"),
        (404, Retry.NEVER, "hold.unknown disposal.unknown statistics.checkpoint_unknown sample.unknown"),
        (400, Retry.NEVER, "sample.invalid"),
        (404, Retry.NEVER, "publication.unknown report.unknown"),
        (409, Retry.FIXED, "publication.undecided publication.not_ready"),
        (412, Retry.FIXED, "publication.stale"),
        (403, Retry.FIXED, "publication.same_person"),
        (422, Retry.FIXED, "publication.incomplete publication.span_invalid publication.revealing report.invalid"),
        (409, Retry.FIXED, "sample.seed_wrong"),
        (409, Retry.LATER, "sample.not_ready"),
        (403, Retry.FIXED, "retention.same_person"),
        (409, Retry.NEVER, "hold.already_released disposal.already_decided"),
        (409, Retry.FIXED, "disposal.not_due"),
        (409, Retry.LATER, "object.locked"),
        (410, Retry.NEVER, "clip.disposed"),
        (410, Retry.NEVER, "upload.terminated"),
        (410, Retry.FIXED, "upload.spool_lost upload.spool_damaged upload.expired"),
        # tus has a status of its own for it.
        (460, Retry.LATER, "upload.checksum_mismatch"),
        # The way is blocked; the same request may be sent again.
        (421, Retry.LATER, "upload.elsewhere"),
        (503, Retry.LATER, "service.unavailable upload.busy database.unreachable database.unwritable receipt.pending"),
        (503, Retry.LATER, "ledger.not_published ledger.not_leading ledger.head_moved ledger.checkpoint_stale"),
        (503, Retry.LATER, "ledger.checkpoint_withheld ledger.storage_busy ledger.storage_unreachable"),
        (503, Retry.LATER, "object.store_unreachable digest.sm3_unavailable"),
        (507, Retry.LATER, "upload.no_space upload.storage_failed"),
        # Somebody here has to act; nothing the caller can change helps.
        (500, Retry.LATER, "internal custody.event_invalid job.lease_lost export.target_unusable"),
        (500, Retry.LATER, "evidence.damaged object.damaged object.missing ledger.storage_unreadable"),
        (500, Retry.LATER, "media.continuity_malformed"),
        (500, Retry.LATER, "ledger.storage_unsuitable object.store_unsuitable"),
        (500, Retry.LATER, "ledger.storage_conflict ledger.checkpoint_conflict ledger.tree_mismatch"),
        (500, Retry.LATER, "config.invalid config.origin_mismatch log.absent log.key_missing database.unsuitable"),
        (500, Retry.LATER, "keys.exposed keys.damaged keys.passphrase_missing keys.passphrase_unusable"),
        (500, Retry.LATER, "keys.passphrase_wrong keys.overlap keys.unseen"),
        (500, Retry.LATER, "postgres.unavailable postgres.folder_unusable postgres.start_failed"),
    ]
)
"""Code -> how it is shown."""

INTERNAL = CodedError("something went wrong on our side; the log has it under this request's id")


def treatment_of(error: CodedError) -> Treatment | None:
    """Return how an error is shown, or None when it was never meant to cross the boundary."""
    return PROBLEMS.get(error.code)


def title_of(error: type[CodedError]) -> str:
    """Return the first sentence of what an error class says of itself, without the final stop."""
    if error is CodedError:
        return "Something went wrong on our side"
    summary = cleandoc(error.__doc__ or error.code).split("\n\n")[0].replace("\n", " ")
    return summary.split(". ")[0].removesuffix(".")


def headers_of(error: CodedError, treatment: Treatment) -> dict[str, str]:
    """Return the headers that HTTP asks for beside a problem (RFC 9110, tus 1.0.0)."""
    # A HEAD has no body to say it in.
    headers = {"X-Problem-Code": error.code}
    if treatment.status == HTTPStatus.UNAUTHORIZED:
        reason = "" if error.code == "auth.missing" else ', error="invalid_token"'
        headers["WWW-Authenticate"] = f'Bearer realm="shilu"{reason}'
    if isinstance(error, MethodRefused):
        headers["Allow"] = ", ".join(str(method) for method in error.methods)
    if isinstance(error, UploadOffsetMismatch):
        headers["Upload-Offset"] = str(error.details["offset"])
    if isinstance(error, UploadTooLarge):
        headers["Upload-Limit"] = f"max-size={error.details['length_max']}"
    if isinstance(error, RangeUnsatisfiable):
        headers["Content-Range"] = f"bytes */{error.size}"
    if isinstance(error, TusVersionRefused):
        headers["Tus-Version"] = TUS_VERSION
    if treatment.retry is Retry.LATER:
        seconds = error.seconds if isinstance(error, SignInPaused) else RETRY_AFTER_SECONDS
        headers["Retry-After"] = str(seconds)
    return headers


def problem_response(error: CodedError, treatment: Treatment, *, request_id: str) -> web.Response:
    """Write an error as the answer to a request."""
    problem = Problem(
        type=f"urn:shilu:problem:{error.code}",
        title=title_of(type(error)),
        status=treatment.status,
        code=error.code,
        retry=treatment.retry,
        detail=error.message,
        instance=f"urn:uuid:{request_id}",
        details=error.details,
    )
    return web.Response(
        status=treatment.status,
        body=problem.model_dump_json(fallback=str).encode(),
        headers={"Content-Type": MEDIA_TYPE, "Cache-Control": "no-store", **headers_of(error, treatment)},
    )
