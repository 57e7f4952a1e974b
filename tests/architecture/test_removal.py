"""Nothing but disposal removes what is evidence: every place that can remove anything is on a list, with its reason."""

from __future__ import annotations

import ast
from collections import defaultdict

from tests.support import house

REMOVERS = {
    "evidence/objects/local.py": {"unlink"},  # `destroy`, and files in scratch that never became objects
    "evidence/objects/s3.py": {"abort_multipart_upload", "unlink"},  # parts and fetched files; see `s3_removal`
    "evidence/objects/s3_removal.py": {"delete_object"},
    "evidence/objects/s3_upload.py": {"abort_multipart_upload"},
    "evidence/objects/aside.py": {"unlink"},  # the note that there was nothing
    "ingest/repair.py": {"unlink"},  # a fetched file that was not needed
    "ledger/publish_s3.py": {"delete_objects"},  # partial tiles that a full one replaces
}
"""Modules of objects, their repair and of buckets that remove something, and how."""

_VERBS = {"unlink", "remove", "rmtree", "rmdir", "delete_object", "delete_objects", "abort_multipart_upload", "destroy"}
_ABOUT_OBJECTS = ("evidence/objects/", "ingest/repair.py", "ingest/copies.py", "ledger/publish_s3.py")


def test_only_disposal_destroys_objects() -> None:
    # By the name alone, called or handed to a thread.
    callers = {
        module.name
        for module in house.modules()
        for node in ast.walk(module.tree)
        if (isinstance(node, ast.Attribute) and node.attr == "destroy")
        or (isinstance(node, ast.Name) and node.id == "destroy")
    }
    assert callers == {"evidence/objects/s3.py", "evidence/retention/removal.py"}


def test_buckets_and_objects_are_removed_from_in_places_that_are_known() -> None:
    found: dict[str, set[str]] = defaultdict(set)
    for module in house.modules():
        verbs = _calls(module.tree) & _VERBS
        buckets = {verb for verb in verbs if "object" in verb or "multipart" in verb}
        if module.name.startswith(_ABOUT_OBJECTS) or buckets:
            found[module.name] |= verbs
    known = {
        name: verbs | {"destroy"} if name == "evidence/objects/s3.py" else verbs for name, verbs in REMOVERS.items()
    }
    assert {name: verbs for name, verbs in found.items() if verbs} == known


def test_no_route_deletes_anything_but_what_never_became_evidence() -> None:
    from api.routes.table import ROUTES

    deleting = {route.name for route in ROUTES if route.method == "DELETE"}
    # Credentials, an upload that was not sealed, a package that is being made of copies, a question somebody keeps.
    harmless = {"terminate_upload", "revoke_own_token", "sign_out", "end_session", "give_up_export", "forget_search"}
    assert deleting <= harmless, deleting


def _calls(tree: ast.AST) -> set[str]:
    called = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            match node.func:
                case ast.Attribute(attr=name) | ast.Name(id=name):
                    called.add(name)
    return called
