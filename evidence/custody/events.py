"""The closed list of what can happen: each type of ledger entry, its payload, its subject and the rows it becomes.

An evidential row is a pure projection of one payload. `project` inserts those rows from the event alone, so that an
audit can do it again (see `replay.py`) and compare. `refresh` keeps what is not evidence in step (the search index); it
may read tables, and a replay does not call it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pydantic import ValidationError

from evidence.access import grant_store as grants
from evidence.accounts import session_store as sessions
from evidence.accounts import store as accounts
from evidence.calendar import store as calendars
from evidence.cases import items_store, statement_store
from evidence.cases import store as cases
from evidence.clips import prefix_store, recording_store, search_store
from evidence.clips import store as clips
from evidence.clips import transcript_store as transcripts
from evidence.custody import (
    account_payloads,
    calendar_payloads,
    case_payloads,
    deadline_payloads,
    outbox_payloads,
    payloads,
    recording_payloads,
    retention_payloads,
    review_payloads,
    statistics_payloads,
    transcript_payloads,
)
from evidence.custody import store as custody
from evidence.custody import timestamp_store as timestamps
from evidence.custody.access_payloads import AccessGranted, AccessWithdrawn, ClipClassified, ClipsSearched
from evidence.custody.export_payloads import ExportFetched, ExportLinkRevoked, ExportShared, PackageExported
from evidence.custody.look_payloads import ClipsViewed
from evidence.custody.publicity_payloads import (
    PublicationApproved,
    PublicationDrafted,
    PublicationJudged,
    PublicationPublished,
    PublicationScanned,
    PublicationTermStated,
    PublicationWithdrawn,
    PublicityReported,
)
from evidence.custody.recorded import Projection, RecordedEvent
from evidence.custody.register_payloads import (
    ClipAttributed,
    ClipAttributionResolved,
    DockPlaced,
    OfficerRegistered,
    RecorderRegistered,
    RegisterImported,
    UnitRegistered,
)
from evidence.custody.watch_payloads import ClipLinkRevoked, ClipMarked, ClipShared, ClipWatched
from evidence.db.pool import Connection
from evidence.deadlines import store as deadlines
from evidence.errors import EventInvalid
from evidence.export import link_store as exports
from evidence.export import watch_store as watching
from evidence.objects import copy_store as copies
from evidence.objects import restoration_store as restorations
from evidence.outbox import store as outbox
from evidence.parties import controller_store, inventory_store
from evidence.parties import store as parties
from evidence.publicity import report_store as publicity_reports
from evidence.publicity import store as publicity
from evidence.recorders import register_store as register
from evidence.recorders import store as recorders
from evidence.registers import attribution_store, officer_store, recorder_store, unit_store
from evidence.retention import disposal_store as disposals
from evidence.retention import store as retention
from evidence.review import revocation_store
from evidence.review import store as reviews
from evidence.statistics import sample_store as samples
from ledger.canonical import JsonObject


async def no_rows(conn: Connection, event: RecordedEvent) -> None:
    """The payload says all there is to say; the custody history reads it from there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One type of entry.

    Attributes:
        payload: Its model, checked when it is recorded and again when it is replayed.
        subject: Name of the payload's field that the entry's subject is made of (`<field>:<value>`), or `log`.
        project: Inserts its evidential rows.
        refresh: Keeps the search index in step; None when nothing searchable changes.
    """

    payload: type[payloads.Payload]
    subject: str
    project: Projection = no_rows
    refresh: Projection | None = None

    def subject_of(self, payload: JsonObject) -> str:
        """Return the subject an entry with this payload must have."""
        return self.subject if self.subject == "log" else f"{self.subject}:{payload[self.subject]}"


EVENTS: Mapping[str, Event] = MappingProxyType(
    {
        "log.created": Event(payload=payloads.LogCreated, subject="log", project=custody.project_log_created),
        "log.key_rotated": Event(
            payload=payloads.LogKeyRotated, subject="log", project=custody.project_log_key_rotated
        ),
        "log.key_retired": Event(
            payload=payloads.LogKeyRetired, subject="log", project=custody.project_log_key_retired
        ),
        "staff.token_issued": Event(
            payload=payloads.TokenIssued, subject="token", project=parties.project_staff_token_issued
        ),
        "staff.token_revoked": Event(
            payload=payloads.TokenRevoked, subject="token", project=parties.project_staff_token_revoked
        ),
        "account.created": Event(
            payload=account_payloads.AccountCreated, subject="staff", project=accounts.project_account_created
        ),
        "account.changed": Event(
            payload=account_payloads.AccountChanged, subject="staff", project=accounts.project_account_changed
        ),
        "account.code_issued": Event(
            payload=account_payloads.AccountCodeIssued, subject="staff", project=accounts.project_code_issued
        ),
        "account.password_set": Event(
            payload=account_payloads.AccountPasswordSet, subject="staff", project=accounts.project_password_set
        ),
        "account.totp_enrolled": Event(
            payload=account_payloads.AccountTotpEnrolled, subject="staff", project=accounts.project_totp_enrolled
        ),
        "account.totp_removed": Event(
            payload=account_payloads.AccountTotpRemoved, subject="staff", project=accounts.project_totp_removed
        ),
        "account.linked": Event(
            payload=account_payloads.AccountLinked, subject="staff", project=accounts.project_account_linked
        ),
        "session.begun": Event(
            payload=account_payloads.SessionBegun, subject="session", project=sessions.project_session_begun
        ),
        "session.ended": Event(
            payload=account_payloads.SessionEnded, subject="session", project=sessions.project_session_ended
        ),
        "outbox.subscribed": Event(
            payload=outbox_payloads.OutboxSubscribed, subject="subscription", project=outbox.project_outbox_subscribed
        ),
        "outbox.ended": Event(
            payload=outbox_payloads.OutboxEnded, subject="subscription", project=outbox.project_outbox_ended
        ),
        "dock.enrolled": Event(payload=payloads.DockEnrolled, subject="dock", project=parties.project_dock_enrolled),
        "dock.key_rotated": Event(
            payload=payloads.DockKeyRotated, subject="dock", project=parties.project_dock_key_rotated
        ),
        "dock.revoked": Event(payload=payloads.DockRevoked, subject="dock", project=parties.project_dock_revoked),
        "controller.connected": Event(
            payload=recording_payloads.ControllerConnected,
            subject="controller",
            project=controller_store.project_controller_connected,
        ),
        "controller.revoked": Event(
            payload=recording_payloads.ControllerRevoked,
            subject="controller",
            project=controller_store.project_controller_revoked,
        ),
        "dock.inventory": Event(
            payload=payloads.DockInventory, subject="dock", project=inventory_store.project_dock_inventory
        ),
        "dock.cleared": Event(
            payload=payloads.DockCleared, subject="dock", project=inventory_store.project_dock_cleared
        ),
        "dock.key_demanded": Event(
            payload=payloads.DockKeyDemanded, subject="dock", project=parties.project_dock_key_demanded
        ),
        "recorder.compared": Event(
            payload=payloads.RecorderCompared, subject="dock", project=recorders.project_recorder_compared
        ),
        "recorder.finding_explained": Event(
            payload=payloads.RecorderFindingExplained, subject="finding", project=recorders.project_finding_explained
        ),
        "recorder.assigned": Event(
            payload=payloads.RecorderAssigned, subject="assignment", project=register.project_recorder_assigned
        ),
        "officer.registered": Event(
            payload=OfficerRegistered,
            subject="officer",
            project=officer_store.project_officer_registered,
        ),
        "unit.registered": Event(payload=UnitRegistered, subject="unit", project=unit_store.project_unit_registered),
        "recorder.registered": Event(
            payload=RecorderRegistered,
            subject="registration",
            project=recorder_store.project_recorder_registered,
        ),
        "dock.placed": Event(payload=DockPlaced, subject="dock", project=recorder_store.project_dock_placed),
        "register.imported": Event(
            payload=RegisterImported,
            subject="imported",
            project=recorder_store.project_register_imported,
        ),
        "clip.attributed": Event(
            payload=ClipAttributed,
            subject="clip",
            project=attribution_store.project_clip_attributed,
            refresh=search_store.refresh_clip,
        ),
        "clip.attribution_resolved": Event(
            payload=ClipAttributionResolved,
            subject="clip",
            project=attribution_store.project_attribution_resolved,
            refresh=search_store.refresh_clip,
        ),
        "clip.sealed": Event(
            payload=payloads.ClipSealed,
            subject="clip",
            project=clips.project_clip_sealed,
            refresh=search_store.refresh_clip,
        ),
        "clip.repeated": Event(
            payload=payloads.ClipRepeated,
            subject="clip",
            project=clips.project_clip_repeated,
            refresh=search_store.refresh_clip,
        ),
        "clip.prefix": Event(payload=payloads.ClipPrefix, subject="upload", project=prefix_store.project_clip_prefix),
        "clip.derived": Event(
            payload=payloads.ClipDerived,
            subject="clip",
            project=clips.project_clip_derived,
            refresh=search_store.refresh_clip,
        ),
        "clip.transcribed": Event(
            payload=transcript_payloads.ClipTranscribed, subject="clip", project=transcripts.project_clip_transcribed
        ),
        "clip.copied": Event(payload=payloads.ClipCopied, subject="clip", project=copies.project_clip_copied),
        "object.restored": Event(
            payload=payloads.ObjectRestored, subject="clip", project=restorations.project_object_restored
        ),
        "clip.annotated": Event(
            payload=payloads.ClipAnnotated,
            subject="clip",
            project=clips.project_clip_annotated,
            refresh=search_store.refresh_clip,
        ),
        "clip.classified": Event(
            payload=ClipClassified,
            subject="clip",
            project=grants.project_clip_classified,
            refresh=search_store.refresh_clip,
        ),
        "clips.viewed": Event(payload=ClipsViewed, subject="staff", project=grants.project_clips_viewed),
        "clips.searched": Event(payload=ClipsSearched, subject="staff", project=grants.project_clips_searched),
        "access.granted": Event(payload=AccessGranted, subject="staff", project=grants.project_access_granted),
        "access.withdrawn": Event(payload=AccessWithdrawn, subject="staff", project=grants.project_access_withdrawn),
        "clip.viewed": Event(payload=payloads.ClipViewed, subject="clip"),
        "clip.exported": Event(payload=payloads.ClipExported, subject="clip"),
        "case.exported": Event(payload=PackageExported, subject="case", project=exports.project_package_exported),
        "clips.exported": Event(payload=PackageExported, subject="export", project=exports.project_package_exported),
        "export.shared": Event(payload=ExportShared, subject="export", project=exports.project_export_shared),
        "export.link_revoked": Event(
            payload=ExportLinkRevoked, subject="export", project=exports.project_export_link_revoked
        ),
        "export.fetched": Event(payload=ExportFetched, subject="export", project=exports.project_export_fetched),
        "clip.shared": Event(payload=ClipShared, subject="clip", project=watching.project_clip_shared),
        "clip.marked": Event(payload=ClipMarked, subject="clip", project=watching.project_clip_marked),
        "clip.link_revoked": Event(payload=ClipLinkRevoked, subject="clip", project=watching.project_clip_link_revoked),
        "clip.watched": Event(payload=ClipWatched, subject="clip", project=watching.project_clip_watched),
        "clip.excerpted": Event(payload=payloads.ClipExcerpted, subject="clip"),
        "clip.redacted": Event(payload=payloads.ClipRedacted, subject="clip"),
        "recording.sealed": Event(
            payload=recording_payloads.RecordingSealed,
            subject="recording",
            project=recording_store.project_recording_sealed,
        ),
        "calendar.loaded": Event(
            payload=calendar_payloads.CalendarLoaded,
            subject="calendar",
            project=calendars.project_calendar_loaded,
        ),
        "storage.priced": Event(
            payload=statistics_payloads.StoragePriced, subject="price", project=samples.project_storage_priced
        ),
        "sample.committed": Event(
            payload=statistics_payloads.SampleCommitted, subject="sample", project=samples.project_sample_committed
        ),
        "sample.drawn": Event(
            payload=statistics_payloads.SampleDrawn, subject="sample", project=samples.project_sample_drawn
        ),
        "sample.scored": Event(
            payload=statistics_payloads.SampleScored, subject="sample", project=samples.project_sample_scored
        ),
        "retention.scheduled": Event(
            payload=retention_payloads.RetentionScheduled,
            subject="schedule",
            project=retention.project_retention_scheduled,
        ),
        "hold.placed": Event(
            payload=retention_payloads.HoldPlaced, subject="hold", project=retention.project_hold_placed
        ),
        "hold.released": Event(
            payload=retention_payloads.HoldReleased, subject="hold", project=retention.project_hold_released
        ),
        "disposal.appraised": Event(
            payload=retention_payloads.DisposalAppraised,
            subject="appraisal",
            project=disposals.project_disposal_appraised,
        ),
        "disposal.approved": Event(
            payload=retention_payloads.DisposalApproved,
            subject="appraisal",
            project=disposals.project_disposal_approved,
        ),
        "disposal.refused": Event(
            payload=retention_payloads.DisposalRefused,
            subject="appraisal",
            project=disposals.project_disposal_refused,
        ),
        "clip.disposed": Event(
            payload=retention_payloads.ClipDisposed,
            subject="clip",
            project=disposals.project_clip_disposed,
            refresh=search_store.refresh_clip,
        ),
        "items.published": Event(
            payload=case_payloads.ItemsPublished, subject="items", project=items_store.project_items_published
        ),
        "case.opened": Event(payload=case_payloads.CaseOpened, subject="case", project=cases.project_case_opened),
        "case.clip_linked": Event(
            payload=case_payloads.CaseClipLinked,
            subject="case",
            project=cases.project_case_clip_linked,
            refresh=search_store.refresh_clip,
        ),
        "case.clip_unlinked": Event(
            payload=case_payloads.CaseClipUnlinked,
            subject="case",
            project=statement_store.project_statement("unlinked"),
            refresh=search_store.refresh_clip,
        ),
        "case.amended": Event(
            payload=case_payloads.CaseAmended,
            subject="case",
            project=statement_store.project_statement("amended"),
            refresh=search_store.refresh_case,
        ),
        "case.arranged": Event(
            payload=case_payloads.CaseArranged, subject="case", project=statement_store.project_statement("arranged")
        ),
        "case.stated": Event(
            payload=case_payloads.CaseStated, subject="case", project=statement_store.project_statement()
        ),
        "case.archived": Event(
            payload=case_payloads.CaseArchived, subject="case", project=statement_store.project_statement("archived")
        ),
        "review.rules_adopted": Event(
            payload=review_payloads.RulesAdopted, subject="rules", project=reviews.project_rules_adopted
        ),
        "person.key_stated": Event(
            payload=review_payloads.PersonKeyStated, subject="staff", project=reviews.project_person_key
        ),
        "reviewer.qualified": Event(
            payload=review_payloads.ReviewerQualified, subject="staff", project=reviews.project_reviewer_qualified
        ),
        "review.submitted": Event(
            payload=review_payloads.ReviewSubmitted, subject="case", project=reviews.project_step("submitted")
        ),
        "review.paused": Event(
            payload=review_payloads.ReviewPaused, subject="case", project=reviews.project_step("paused")
        ),
        "review.resumed": Event(
            payload=review_payloads.ReviewResumed, subject="case", project=reviews.project_step("resumed")
        ),
        "review.opined": Event(
            payload=review_payloads.ReviewOpined, subject="case", project=reviews.project_step("opined")
        ),
        "review.disagreed": Event(
            payload=review_payloads.ReviewDisagreed, subject="case", project=reviews.project_step("disagreed")
        ),
        "review.coordinated": Event(
            payload=review_payloads.ReviewCoordinated, subject="case", project=reviews.project_step("coordinated")
        ),
        "review.corrected": Event(
            payload=review_payloads.ReviewCorrected, subject="case", project=reviews.project_step("corrected")
        ),
        "review.transferred": Event(
            payload=review_payloads.ReviewTransferred, subject="case", project=reviews.project_step("transferred")
        ),
        "case.decided": Event(
            payload=review_payloads.CaseDecided, subject="case", project=reviews.project_case_decided
        ),
        "decision.revoked": Event(
            payload=review_payloads.DecisionRevoked,
            subject="case",
            project=revocation_store.project_decision_revoked,
        ),
        "deadline.rules_published": Event(
            payload=deadline_payloads.DeadlineRulesPublished, subject="rules", project=deadlines.project_rules_published
        ),
        "deadline.started": Event(
            payload=deadline_payloads.DeadlineStarted, subject="clock", project=deadlines.project_statement("started")
        ),
        "deadline.paused": Event(
            payload=deadline_payloads.DeadlinePaused, subject="clock", project=deadlines.project_statement("paused")
        ),
        "deadline.resumed": Event(
            payload=deadline_payloads.DeadlineResumed, subject="clock", project=deadlines.project_statement("resumed")
        ),
        "deadline.extended": Event(
            payload=deadline_payloads.DeadlineExtended, subject="clock", project=deadlines.project_statement("extended")
        ),
        "deadline.fulfilled": Event(
            payload=deadline_payloads.DeadlineFulfilled,
            subject="clock",
            project=deadlines.project_statement("fulfilled"),
        ),
        "deadline.voided": Event(
            payload=deadline_payloads.DeadlineVoided, subject="clock", project=deadlines.project_statement("voided")
        ),
        "deadline.explained": Event(
            payload=deadline_payloads.DeadlineExplained,
            subject="clock",
            project=deadlines.project_statement("explained"),
        ),
        "deadline.warned": Event(
            payload=deadline_payloads.DeadlineWarned, subject="clock", project=deadlines.project_statement("warned")
        ),
        "upload.quarantined": Event(payload=payloads.UploadQuarantined, subject="upload"),
        "upload.given_up": Event(payload=payloads.UploadGivenUp, subject="upload"),
        "upload.copied_out": Event(payload=payloads.UploadCopiedOut, subject="upload"),
        "publication.drafted": Event(
            payload=PublicationDrafted, subject="publication", project=publicity.project_publication_drafted
        ),
        "publication.scanned": Event(
            payload=PublicationScanned, subject="publication", project=publicity.project_publication_step("scanned")
        ),
        "publication.judged": Event(
            payload=PublicationJudged, subject="publication", project=publicity.project_publication_step("judged")
        ),
        "publication.approved": Event(
            payload=PublicationApproved, subject="publication", project=publicity.project_publication_step("approved")
        ),
        "publication.published": Event(
            payload=PublicationPublished, subject="publication", project=publicity.project_publication_published
        ),
        "publication.withdrawn": Event(
            payload=PublicationWithdrawn, subject="publication", project=publicity.project_publication_withdrawn
        ),
        "publication.term_stated": Event(
            payload=PublicationTermStated, subject="term", project=publicity.project_publication_term_stated
        ),
        "publicity.reported": Event(
            payload=PublicityReported, subject="report", project=publicity_reports.project_publicity_reported
        ),
        "audit.completed": Event(payload=payloads.AuditCompleted, subject="log"),
        "log.timestamped": Event(
            payload=payloads.LogTimestamped, subject="log", project=timestamps.project_log_timestamped
        ),
    }
)
"""Every type of entry this program writes and replays."""


def checked_payload(event_type: str, payload: JsonObject) -> Event:
    """Return the event of a type after seeing that a payload fits it.

    Raises:
        EventInvalid: The type is not in the list, or the payload breaks its model.
    """
    event = EVENTS.get(event_type)
    if event is None:
        raise EventInvalid(f"there is no event of type {event_type!r}")
    try:
        event.payload.model_validate(payload)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "payload"
        raise EventInvalid(f"the payload of {event_type} breaks its model: {where}: {first['msg']}") from error
    return event
