"""What each route does with clips and cases: the table that the gate, the document and the authorisation matrix read.

A route for people stands here by its name. What is not listed is held to the strictest reading of its address (see
`permit_of`), and a test fails until it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from uuid import UUID

from api.route import Route
from evidence.access.policy import Action


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """What a route does with clips and cases.

    Attributes:
        action: What is done with every clip and case it names, or how the body tells; None when it names none.
        clips, cases: Further ones that the body names; the path's parameters `clip` and `case` are found by themselves.
        exports: Packages that the body names; the path's `export` is found by itself, and stands for all its clips.
        whole: Whether its case is handled as a whole, so that every file of it has to be known to the caller.
        lists: Whether its handler shows many of them, and filters them by `Call.scope` or `Call.person`.
    """

    action: Action | Callable[[Any], Action] | None
    clips: Callable[[Any], Sequence[UUID]] | None = None
    cases: Callable[[Any], Sequence[UUID]] | None = None
    exports: Callable[[Any], Sequence[UUID]] | None = None
    lists: bool = False
    whole: bool = False

    def action_of(self, body: Any) -> Action | None:
        """Return what this very request does."""
        return self.action(body) if callable(self.action) else self.action


def _of_view(body: Any) -> Action:
    return Action.ORIGINAL if body.rendition == "original" else Action.VIEW


def _one(body: Any) -> Sequence[UUID]:
    return () if body.clip is None else (body.clip,)


def _one_case(body: Any) -> Sequence[UUID]:
    return () if body.case is None else (body.case,)


def _the_case(body: Any) -> Sequence[UUID]:
    return (body.case,)


def _many(body: Any) -> Sequence[UUID]:
    return tuple(body.clips)


def _clip_of_clock(body: Any) -> Sequence[UUID]:
    """Return the clip of the clock of a recording that came; a clock of something else names none."""
    kind, _, about = body.clock.partition("/")
    return (UUID(about),) if kind == "storing" and _UUID.fullmatch(about) else ()


def _repeated(body: Any) -> Sequence[UUID]:
    return () if body.repeat is None else (body.repeat,)


def _targets(body: Any) -> Sequence[UUID]:
    return tuple(one.clip for one in body.clips)


_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

NOTHING = Permit(action=None)
"""It names no clip and no case."""

_FREE = (
    "watch_docks",
    *("metrics", "vocabulary", "list_docks", "make_enrolment_code", "demand_dock_key", "revoke_dock"),
    *("issue_token", "list_tokens", "rotate_token", "revoke_token"),
    *("list_recorders", "recorder_findings", "explain_finding", "recorder_holders", "assign_recorder"),
    *("register_officer", "list_officers", "get_officer", "change_officer", "equipment", "name_people"),
    *("grant_access", "list_grants", "withdraw_grant"),
    *("who_am_i", "sign_out", "list_sessions", "end_session", "change_password", "begin_totp", "confirm_totp"),
    *("own_tokens", "revoke_own_token", "create_account", "list_accounts", "read_account", "change_account"),
    *("make_account_code", "remove_totp", "link_account", "list_account_links", "list_strangers"),
    *("register_unit", "list_units", "get_unit", "change_unit", "register_recorder", "list_registrations"),
    *("place_dock", "list_placements", "get_calendar", "load_calendar", "import_template", "import_register"),
    *("state_price", "commit_sample"),
    *("subscribe", "list_subscriptions", "make_outbox_secret", "list_dead_letters", "end_subscription"),
    *("resend_dead_letters", "pause_subscription", "resume_subscription"),
    *("state_schedule", "list_schedules", "release_hold"),
    *("publish_deadline_rules", "list_deadline_rules"),
    *("state_publication_term", "list_publication_terms", "make_publicity_report", "recount_publicity_report"),
    *("list_publicity_reports", "list_publication_forms"),
    *("publish_items", "list_items", "items_in_force", "get_items"),
    *("adopt_review_rules", "list_review_rules", "state_signing_key", "qualify_reviewer", "list_qualifications"),
    *("upload_options", "create_upload", "upload_status", "append_upload", "terminate_upload", "override_upload"),
)
_SEARCHES = ("save_search", "list_searches", "forget_search")
_KNOW = (
    *("get_clip", "get_recording", "list_annotations", "clip_history", "clip_continuity", "clip_transcript"),
    *("clip_receipt", "clip_leaves", "get_redaction", "get_case", "get_annotation", "compare_annotations"),
    *("compare_documents", "list_marks", "clip_retention"),
    *("list_statements", "case_structure", "case_coverage", "case_readiness", "get_trail"),
    *("read_review", "read_review_round", "read_decision", "coordinate_review"),
)

_CASEWORK = (
    *("unlink_clip", "amend_case", "state_about_case", "arrange_case"),
    *("submit_for_review", "answer_supplement", "disagree_with_opinion", "transfer_case", "decide_case"),
    "revoke_decision",
)
_REVIEWING = ("give_opinion", "ask_supplement", "correct_fact")
_LISTS = (
    *("find_clips", "count_facets", "run_search", "look_at_clips"),
    *("list_cases", "list_blocked", "list_due", "list_holds", "list_appraisals", "get_appraisal"),
    *("decide_appraisal", "list_deadlines", "list_reviews"),
    *("operations", "statistics", "list_samples", "get_sample", "draw_sample"),
    *("list_publications", "get_publication", "correct_publication", "judge_publication", "approve_publication"),
    *("publish_publication", "withdraw_publication"),
)

PERMITS: Mapping[str, Permit] = MappingProxyType(
    {
        **dict.fromkeys((*_FREE, *_SEARCHES), NOTHING),
        **dict.fromkeys(_KNOW, Permit(action=Action.METADATA)),
        **dict.fromkeys(_CASEWORK, Permit(action=Action.LINK)),
        **dict.fromkeys(_REVIEWING, Permit(action=Action.APPROVE)),
        **dict.fromkeys(_LISTS, Permit(action=None, lists=True)),
        **dict.fromkeys(("list_exhibits", "get_case_trail"), Permit(action=Action.METADATA, lists=True)),
        "open_case": Permit(action=None, lists=True),
        "draft_publication": Permit(action=Action.METADATA, cases=_one_case),
        "annotate_clip": Permit(action=Action.ANNOTATE),
        "annotate_many": Permit(action=Action.ANNOTATE, clips=_targets),
        "accept_proposals": Permit(action=Action.ANNOTATE),
        "clip_custody": Permit(action=Action.CUSTODY, lists=True),
        "person_custody": Permit(action=None, lists=True),
        "score_case": Permit(action=Action.METADATA, cases=_the_case),
        "archive_case": Permit(action=Action.LINK, whole=True),
        "get_archive": Permit(action=Action.METADATA, whole=True),
        "classify_clip": Permit(action=Action.ANNOTATE),
        "redact_clip": Permit(action=Action.ANNOTATE),
        "view_clip": Permit(action=_of_view),
        **dict.fromkeys(("order_excerpt", "order_still"), Permit(action=Action.EXCERPT)),
        "clip_attribution": Permit(action=Action.ATTRIBUTE),
        "resolve_attribution": Permit(action=Action.ATTRIBUTE),
        "order_export": Permit(action=Action.EXPORT, clips=_many, cases=_one_case, exports=_repeated),
        "list_exports": Permit(action=None, lists=True),
        **dict.fromkeys(("get_export", "list_links", "list_clip_links"), Permit(action=Action.METADATA)),
        "download_export": Permit(action=Action.ORIGINAL),
        **dict.fromkeys(
            ("give_up_export", "share_export", "revoke_link", "share_clip", "revoke_clip_link"),
            Permit(action=Action.EXPORT),
        ),
        "place_hold": Permit(action=Action.HOLD, clips=_one, cases=_one_case),
        "appraise": Permit(action=Action.DISPOSE, clips=_many),
        "start_deadline": Permit(action=Action.LINK, cases=_one_case),
        "extend_deadline": Permit(action=Action.LINK, cases=_one_case),
        "state_deadline": Permit(action=Action.LINK, cases=_one_case, clips=_clip_of_clock),
        "link_clip": Permit(action=Action.LINK, clips=_one),
    }
)
"""Name of a route -> what it does."""

_READING = Permit(action=Action.METADATA, lists=True)
_CHANGING = Permit(action=Action.ANNOTATE, lists=True)


def permit_of(route: Route) -> Permit:
    """Return what a route does; one that nobody listed reads what its address names, or changes it."""
    return PERMITS.get(route.name) or (_READING if route.method == "GET" else _CHANGING)


def names_footage(route: Route) -> bool:
    """Whether a route's address names a clip, a case or a package of them."""
    return not {"clip", "case", "export"}.isdisjoint(route.parameters)
