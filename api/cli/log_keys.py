"""`shilu keys protect` and `unprotect`: how the file of the log's key is guarded. Needs no database, changes no key.

A service that is running goes on with the key it has opened; its next start asks for the passphrase.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

import typer

from api.cli.options import DataOption, JsonOption, config_from
from api.cli.output import print_json
from api.config import ServiceConfig
from api.errors import PassphraseMissing
from api.folders import DataFolders
from api.key_file import Guise, Passphrase, check_passphrase, load_key, passphrase_from, save_key


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
