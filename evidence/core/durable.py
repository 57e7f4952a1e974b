"""Durable files, handed up from the ledger: the one module that finishes files, see `ledger.durable`."""

from __future__ import annotations

from ledger.durable import (
    TEMPORARY_PREFIX,
    create_files,
    make_folders,
    publish_file,
    remove_temporaries,
    sync_file,
    sync_folder,
    write_file,
)

__all__ = [
    "TEMPORARY_PREFIX",
    "create_files",
    "make_folders",
    "publish_file",
    "remove_temporaries",
    "sync_file",
    "sync_folder",
    "write_file",
]
