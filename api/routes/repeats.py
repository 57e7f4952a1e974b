"""What a repeat of a changing request does, route by route.

A change of something versioned demands `If-Match` and answers 412 where somebody was faster, 428 where it is missing. A
request that puts something new on record takes an `Idempotency-Key`. Every other changing route stands here with the
reason why it needs neither; a test holds the table of routes against it, and repeats each route that takes one of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_STATE = "asked again it finds the state that it asks for, and says so or is refused"
_SECRET = "each answer holds a new secret that is stored nowhere; the one before ends or expires"  # noqa: S105 - prose
_LOOK = "each look is one of its own on record"
_SIGNED = "what the dock signed names itself; the same again gets the same answer"
_BYTES = "the place in the file is the condition"
_SESSION = "about the caller's own sign-in, and harmless twice"
_SWIFT = "spoken by controllers of others, whose protocol has neither"

UNCONDITIONAL: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("enrol_dock", "revoke_dock", "revoke_token", "revoke_own_token", "link_account"), _STATE),
        **dict.fromkeys(("demand_dock_key", "remove_totp", "pause_subscription", "resume_subscription"), _STATE),
        **dict.fromkeys(("end_subscription", "forget_search", "release_hold", "decide_appraisal", "link_clip"), _STATE),
        **dict.fromkeys(("archive_case", "draw_sample", "judge_publication", "approve_publication"), _STATE),
        **dict.fromkeys(("publish_publication", "withdraw_publication", "withdraw_grant", "give_up_export"), _STATE),
        **dict.fromkeys(("import_register", "resend_dead_letters"), _STATE),
        **dict.fromkeys(("make_enrolment_code", "issue_token", "rotate_token", "make_account_code"), _SECRET),
        **dict.fromkeys(("make_outbox_secret", "share_export", "share_clip"), _SECRET),
        **dict.fromkeys(("view_clip", "look_at_clips", "order_excerpt", "order_still"), _LOOK),
        **dict.fromkeys(("download_export", "use_share", "use_watch"), _LOOK),
        **dict.fromkeys(("rotate_dock_key", "post_inventory", "post_cleared", "post_manifest"), _SIGNED),
        "dock_heartbeat": "the newest counts, and none is evidence",
        **dict.fromkeys(("create_upload", "append_upload", "terminate_upload", "override_upload"), _BYTES),
        **dict.fromkeys(("sign_in", "activate_account", "sign_out", "end_session", "change_password"), _SESSION),
        **dict.fromkeys(("begin_totp", "confirm_totp"), _SESSION),
        **dict.fromkeys(("swift_create_container", "swift_describe_container", "swift_put_object"), _SWIFT),
        "swift_describe_object": _SWIFT,
    }
)
"""Reason by the name of a route that changes something and takes neither header."""
