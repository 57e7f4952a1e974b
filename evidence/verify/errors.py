"""Errors that end a run of the offline verifier; they never answer a request."""

from __future__ import annotations

from evidence.errors import EvidenceError


class EvidenceNotFound(EvidenceError):
    """The path leads nowhere, or to a folder without a receipt: there is nothing to verify."""

    code = "verify.nothing"


class RootsUnusable(EvidenceError):
    """The file of root certificates for time stamps cannot be read, or holds none."""

    code = "verify.tsa_roots"


class LogKeyMissing(EvidenceError):
    """No log key was given and none came with the evidence, or what was given is no key and no policy."""

    code = "verify.log_key"


class RebuildImpossible(EvidenceError):
    """A file cannot be made of the excerpt: it exists, cannot be written, or what lies there is not proved."""

    code = "verify.rebuild"
