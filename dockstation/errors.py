"""Errors of the docking station, one class per stable code; see docs/errors.md.

`blame` decides what the agent does: `INPUT` concerns one file or one command and another try will not help by itself,
`WAY` (card, link, service, disk) is waited out, `BUG` is ours.
"""

from __future__ import annotations

from typing import ClassVar

from ledger.errors import Blame, CodedError


class DockError(CodedError):
    """Base of the docking station's errors."""

    blame: ClassVar[Blame] = Blame.INPUT


class ConfigInvalid(DockError):
    """The station's configuration or enrolment file cannot be used. The message names the key to mend."""

    code = "dock.config_invalid"


class NotEnrolled(DockError):
    """The state folder holds no enrolment. Run `shilu-dock enrol URL CODE` with a code from the administrator."""

    code = "dock.not_enrolled"


class OtherLog(DockError):
    """The service keeps another log than the one this station trusts. Find out why before using `enrol --force`."""

    code = "dock.other_log"


class StateTaken(DockError):
    """Another agent works with this state folder. Stop it first; its lock ends with its process."""

    code = "dock.state_taken"
    blame = Blame.WAY


class ProfileInvalid(DockError):
    """A layout profile is not valid TOML, has an unknown key, or a pattern that cannot be used."""

    code = "dock.profile_invalid"


class JournalUnusable(DockError):
    """The journal was written by a newer program or is damaged. Keep it: it says which footage may be cleared."""

    code = "dock.journal_unusable"
    blame = Blame.WAY


class JournalConflict(DockError):
    """A file's state in the journal was not the expected one, or a step backwards was tried."""

    code = "dock.journal_conflict"
    blame = Blame.BUG


class CardLost(DockError):
    """The recorder was pulled, another one is in its place, or its card stopped answering. Dock it again."""

    code = "dock.card_lost"
    blame = Blame.WAY


class DetectionMissing(DockError):
    """What finds USB recorders or changes of folders is not installed. Folders are looked at all the same."""

    code = "dock.detection_missing"


class MountFailed(DockError):
    """A USB recorder cannot be mounted, unmounted or ejected now; the system's own words follow. Tried again later."""

    code = "dock.mount_failed"
    blame = Blame.WAY


class ReplayInvalid(DockError):
    """A replay script is not valid TOML, has an unknown key or step, or names a card that it does not have."""

    code = "dock.replay_invalid"


class ReplayDiffers(DockError):
    """A replay went another way than its script: an expected state or event did not come. The step is named."""

    code = "dock.replay_differs"


class FileUnreadable(DockError):
    """The card answers but this file's bytes do not come (bad sector, short read, no permission). Tried again later."""

    code = "dock.file_unreadable"
    blame = Blame.WAY


class FileChanged(DockError):
    """A file changed between the look and the last byte read: it grew, shrank, was written or replaced. Read anew."""

    code = "dock.file_changed"


class FileGone(DockError):
    """A file that the inventory lists is no longer on the recorder."""

    code = "dock.file_gone"


class FileUnsafe(DockError):
    """A name on the recorder is a link, a pipe, a device or lies outside the card. It is never opened."""

    code = "dock.file_unsafe"


class FileNotCleared(DockError):
    """A file is kept although a receipt exists: what lies on the card now is not what was sealed."""

    code = "dock.file_not_cleared"


class LinkLost(DockError):
    """The service could not be reached, or the connection broke. Tried again with growing pauses."""

    code = "dock.link_lost"
    blame = Blame.WAY


class ServiceBusy(DockError):
    """The service asks to come back later (503, 507 and their like). Tried again no sooner than it asks."""

    code = "dock.service_busy"
    blame = Blame.WAY


class ServiceRefused(DockError):
    """The service will never take this file as it is; its code is in the details. The file stays on the recorder."""

    code = "dock.service_refused"


class ServiceObjects(DockError):
    """The service cannot do this now and somebody has to mend something; its code stands in the details."""

    code = "dock.service_objects"


class DockNotAccepted(DockError):
    """The service does not accept this station: revoked, unknown, or a clock too far off. Ask the administrator."""

    code = "dock.not_accepted"


class ServiceMalformed(DockError):
    """The service answered something that its contract does not allow. Update one of the two."""

    code = "dock.service_malformed"
    blame = Blame.WAY


class UploadGone(DockError):
    """The service no longer knows an upload that this station had begun. The file is sent anew."""

    code = "dock.upload_gone"


class OffsetConflict(DockError):
    """The service holds another number of bytes than this station thought. It is asked, and believed."""

    code = "dock.offset_conflict"


class ReceiptRefused(DockError):
    """A receipt does not prove what this station sent. Nothing is cleared on its word; tell the administrator."""

    code = "dock.receipt_refused"


class RecorderTwice(DockError):
    """Two slots show the same recorder at the same time. Take one out; only the first is read."""

    code = "dock.recorder_twice"


class StateUnwritable(DockError):
    """The station's own disk does not take a receipt: full, read-only or failing. Nothing is cleared meanwhile."""

    code = "dock.state_unwritable"
    blame = Blame.WAY


class SpoolFull(DockError):
    """The station's own store does not take a file: full, or its disk fails. It is sent straight from the card."""

    code = "dock.spool_full"
    blame = Blame.WAY


class SpoolDamaged(DockError):
    """The copy in the station's own store is missing or no longer what was read. The recorder is needed again."""

    code = "dock.spool_damaged"


class WindowClosed(DockError):
    """Outside the hours in which the station may send; marked footage goes all the same. Goes on when they come."""

    code = "dock.window_closed"
    blame = Blame.WAY


class PageUnavailable(DockError):
    """The status page cannot listen where it should. The station works without it; mend `page_listen`."""

    code = "dock.page_unavailable"
    blame = Blame.WAY
