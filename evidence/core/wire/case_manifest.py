"""The frozen manifest of an archived case: what its ledger entry commits to, and the root over it. Light and pure.

```
{"format": "shilu-case-manifest/1", "case": ..., "number": ..., "title": ..., ...,
 "exhibits": [...], "unlinked": [...], "documents": [...], "statements": [...], "sections": [...]}
```

The root is the RFC 6962 root over the canonical JSON of: the manifest without its five lists, then each member of the
lists in this order, each tagged with the list's name. So a single exhibit can be proved to belong to the archived case
without showing the others.

What it proves, together with the receipt of its entry: that the case consisted of exactly these files, numbers, words
and statements when it was archived, and that the log has said so since. It does not prove that they were true, nor
that nothing was left out of the case before; coverage and the docks' inventories speak about that.
"""

from __future__ import annotations

from collections.abc import Iterator

from evidence.errors import WireMalformed
from ledger.canonical import JsonObject, JsonValue, canonical_json
from ledger.tree import leaf_hash, root_of

FORMAT = "shilu-case-manifest/1"
LISTS = ("exhibits", "unlinked", "documents", "statements", "sections")


def manifest_root(manifest: JsonObject) -> bytes:
    """Return the root over a manifest, 32 bytes.

    Raises:
        WireMalformed: It is no manifest of this format.
    """
    return root_of([leaf_hash(canonical_json(leaf)) for leaf in manifest_leaves(manifest)])


def manifest_leaves(manifest: JsonObject) -> Iterator[JsonValue]:
    """Yield what the root is made over.

    Raises:
        WireMalformed: It is no manifest of this format.
    """
    if manifest.get("format") != FORMAT:
        raise WireMalformed("this is no manifest of a case")
    yield {name: value for name, value in manifest.items() if name not in LISTS}
    for name in LISTS:
        members = manifest.get(name)
        if not isinstance(members, list):
            raise WireMalformed(f"the manifest has no list of {name}")
        for member in members:
            yield {name: member}


def files_of(manifest: JsonObject) -> Iterator[tuple[str, str]]:
    """Yield what each file of a case is called in it, and its SHA-256 in hex.

    Raises:
        WireMalformed: An exhibit or document is not of its form.
    """
    for name, key in (("exhibits", "exhibit"), ("documents", "clip")):
        members = manifest.get(name)
        for member in members if isinstance(members, list) else ():
            if not isinstance(member, dict) or not isinstance(sha256 := member.get("sha256"), str):
                raise WireMalformed(f"one of the {name} is not of its form")
            yield f"{name} {member.get(key)}", sha256
