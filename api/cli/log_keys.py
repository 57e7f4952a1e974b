"""`shilu keys protect`, `unprotect`, `rotate`, `retire`: the life of the log's own key.

The first two change how its file is guarded; they need no database. A service that is running goes on with the key it
has opened; its next start asks for the passphrase. The other two change the key, see `api.log_keys`.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from api.cli.context import ask
from api.cli.options import DatabaseOption, DataOption, JsonOption, config_from
from api.cli.output import print_json
from api.cli.run import run
from api.config import ServiceConfig
from api.errors import PassphraseMissing
from api.folders import DataFolders
from api.key_file import Guise, Passphrase, check_passphrase, load_key, passphrase_from, save_key
from api.log_keys import ChangedKeys, retire_log_key, rotate_log_key
from api.services import Services
from ledger.key_history import KeyHistory


def protect_command(data: DataOption = None, as_json: JsonOption = False) -> None:
    """Encrypt the log's key under a passphrase: from SHILU_LOG_KEY_PASSPHRASE_FILE, or asked here.

    The file is replaced in one step. From its next start on the service needs SHILU_LOG_KEY_PASSPHRASE_FILE.
    """
    config = config_from(data, None)
    secret = asked(config, twice=True)()
    if secret is None:
        raise PassphraseMissing("no passphrase: set SHILU_LOG_KEY_PASSPHRASE_FILE, or type one at a terminal")
    _guard(config, secret, as_json=as_json)


def unprotect_command(data: DataOption = None, as_json: JsonOption = False) -> None:
    """Write the log's key without a passphrase, guarded by its permissions (0600) alone."""
    config = config_from(data, None)
    _guard(config, None, as_json=as_json)


def rotate_command(
    at_once: Annotated[
        bool, typer.Option("--at-once", help="The present key leaked: it ends with the same entry, without overlap.")
    ] = False,
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let a new key follow the log's key. Both sign every checkpoint until `shilu keys retire`.

    With the service running or stopped. Docks, mirrors and verifiers learn the new key by themselves, from a statement
    that both keys sign; witnesses are told by their offices (`shilu-witness add-keys`). With several hosts, copy the
    folder keys/ to each that may lead the log.
    """
    config = config_from(data, database)
    secret = asked(config)

    async def rotate(services: Services) -> ChangedKeys:
        return await rotate_log_key(services, secret, at_once=at_once)

    _tell(run(ask(config, rotate)), as_json=as_json)


def retire_command(data: DataOption = None, database: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """End the older of two keys: from the next checkpoint on only the newer one signs. Its file is gone then.

    Refused before a checkpoint that both signed was published. What the old key signed stays good for ever.
    """
    config = config_from(data, database)
    secret = asked(config)

    async def retire(services: Services) -> ChangedKeys:
        return await retire_log_key(services, secret)

    _tell(run(ask(config, retire)), as_json=as_json)


def key_rows(history: KeyHistory) -> list[dict[str, object]]:
    """Return the log's keys for people and programs: each with the sizes it speaks for and its state."""
    signs = "signs, to be retired" if len(history.present) > 1 else "signs"
    return [
        {
            "vkey": span.verifier.vkey,
            "above": max(span.above, 0),
            "up_to": span.up_to,
            "state": "retired" if span.up_to is not None else "signs" if span is history.spans[-1] else signs,
        }
        for span in history.spans
    ]


def _tell(changed: ChangedKeys, *, as_json: bool) -> None:
    if as_json:
        entries = [change.entry.entry_id for change in changed.changes]
        print_json({"origin": changed.history.origin, "entries": entries, "keys": key_rows(changed.history)})
        return
    for row in key_rows(changed.history):
        typer.echo(f"{row['vkey']}  {row['state']}")
    if len(changed.history.present) > 1:
        typer.echo("both keys sign now; publish the new one, have witnesses add it, then: shilu keys retire", err=True)


def asked(config: ServiceConfig, *, twice: bool = False) -> Passphrase:
    """Return where commands take the passphrase from: its file, else whoever sits at the terminal.

    Args:
        twice: Whether it is typed a second time, where a slip would lock the key away.
    """
    answered: list[bytes] = []

    def ask() -> bytes | None:
        if config.log_key_passphrase_file is not None:
            return passphrase_from(config.log_key_passphrase_file)()
        if not answered and sys.stdin.isatty():
            typed = typer.prompt("passphrase of the log's key", hide_input=True, confirmation_prompt=twice, err=True)
            answered.append(check_passphrase(str(typed).encode()))
        return answered[0] if answered else None

    return ask


def _guard(config: ServiceConfig, secret: bytes | None, *, as_json: bool) -> None:
    folders = DataFolders(config.data.resolve())
    passphrase = asked(config) if secret is None else lambda: secret
    # All are opened before the first is written: a wrong passphrase changes nothing.
    opened = [(path, load_key(path, passphrase)) for path in _files(folders)]
    for path, signer in opened:
        save_key(path, signer, passphrase=secret, entropy=secrets.token_bytes)
    guise = Guise.OPEN if secret is None else Guise.PROTECTED
    if as_json:
        print_json({"guarded_by": guise.value, "keys": [signer.verifier.vkey for _, signer in opened]})
    else:
        typer.echo(f"the log's key is guarded by {'its permissions' if secret is None else 'a passphrase'}")


def _files(folders: DataFolders) -> Iterator[Path]:
    yield folders.log_key
    if folders.next_log_key.exists():
        yield folders.next_log_key
