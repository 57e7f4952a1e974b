"""The `shilu-witness` command: a witness that another office runs, with a network or without one.

| code | meaning |
|---|---|
| 0 | done |
| 1 | refused: the checkpoint was not cosigned, and the answer says why |
| 2 | the command line is wrong, or the input cannot be used |
| 3 | the disk, the memory or the address is not available; trying again may help |
| 4 | an internal error |
| 130 | interrupted |
"""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import sys
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from api.cli.exits import Exit, exit_for
from api.witness_app.folder import create_witness, open_witness
from api.witness_app.server import serving
from evidence.core.clock import utc_now
from ledger.durable import write_file
from ledger.errors import CodedError
from ledger.key_history import KEYS_BYTES_MAX, KeyHistory
from ledger.keys import parse_public_key
from ledger.lexemes import format_base64
from ledger.note import Note, format_note, parse_note, parse_signature
from ledger.witness.errors import WitnessRefusal
from ledger.witness.request import REQUEST_BYTES_MAX, parse_request
from ledger.witness.store import log_verifier

_HELP = """见证方 · A witness of transparency logs: cosigns only what follows from what it cosigned before.

退出码 · Exit codes: 0 done; 1 refused; 2 wrong command line or input; 3 disk, memory or address not available;
4 internal error; 130 interrupted.
"""

app = typer.Typer(
    help=_HELP, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None
)

FolderOption = Annotated[
    Path,
    typer.Option("--folder", metavar="DIR", help="见证方的文件夹 · Folder of the witness: its key and its memory."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="输出一个 JSON 对象 · Print one JSON object.")]
_FOLDER = Path("shilu-witness")


@app.command("init")
def init_command(
    name: Annotated[str, typer.Argument(help="密钥名称 · Name of the key, e.g. witness.example.cn/fazhi.")],
    folder: FolderOption = _FOLDER,
    post_quantum: Annotated[
        bool, typer.Option("--post-quantum", help="使用 ML-DSA-44 · Sign with ML-DSA-44 instead of Ed25519.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """新建见证方 · Make a new witness: key (0600) and empty memory."""
    witness = create_witness(folder, name=name, post_quantum=post_quantum, clock=utc_now)
    _say({"name": name, "vkey": witness.vkey, "folder": str(folder)}, witness.vkey, as_json=as_json)


@app.command("add-log")
def add_log_command(
    vkey: Annotated[str, typer.Argument(help="日志公钥 · The log's verifier key, from a place you trust.")],
    folder: FolderOption = _FOLDER,
    as_json: JsonOption = False,
) -> None:
    """添加日志 · Cosign for this log from now on; a running witness notices by itself."""
    verifier = log_verifier(vkey)
    open_witness(folder, clock=utc_now).memory.add_log(verifier)
    _say({"origin": verifier.name, "vkey": vkey}, verifier.name, as_json=as_json)


@app.command("add-keys")
def add_keys_command(
    statements: Annotated[
        Path,
        typer.Argument(metavar="LOG_KEYS_FILE", help="密钥声明 · The log's statements, from URL/log/keys."),
    ],
    folder: FolderOption = _FOLDER,
    as_json: JsonOption = False,
) -> None:
    """日志更换密钥 · Go over to a log's new key by its signed statements; a running witness notices by itself.

    Verified from the key that is believed already. Keys that the statements retire are believed no more.
    """
    with statements.open("rb") as file:
        keys = KeyHistory.parse(file.read(KEYS_BYTES_MAX + 1))
    believed = [verifier.vkey for verifier in open_witness(folder, clock=utc_now).memory.add_keys(keys)]
    _say({"origin": keys.origin, "vkeys": believed}, "\n".join(believed), as_json=as_json)


@app.command("show")
def show_command(folder: FolderOption = _FOLDER, as_json: JsonOption = False) -> None:
    """查看 · Show the witness's key, the logs it knows and what it cosigned last."""
    witness = open_witness(folder, clock=utc_now)
    logs = [
        {
            "origin": log.origin,
            "vkeys": list(log.vkeys),
            "size": log.size,
            "root": None if log.root is None else format_base64(log.root),
            "cosigned_at": log.at,
        }
        for log in witness.memory.logs()
    ]
    if as_json:
        _say({"name": parse_public_key(witness.vkey).name, "vkey": witness.vkey, "logs": logs}, "", as_json=True)
        return
    table = Table("log 日志", "size 条数", "cosigned at 联署时间 (POSIX s)", "root 根")
    for row in logs:
        cells = (row["origin"], row["size"], row["cosigned_at"], row["root"])
        table.add_row(*(escape("-" if cell is None else str(cell)) for cell in cells))
    Console().print(escape(witness.vkey), soft_wrap=True)
    Console().print(table)


@app.command("sign")
def sign_command(
    request_file: Annotated[Path, typer.Argument(metavar="CHECKPOINT_REQUEST_FILE", help="请求文件 · The request.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="联署文件 · Where the cosigned checkpoint goes.")],
    folder: FolderOption = _FOLDER,
    as_json: JsonOption = False,
) -> None:
    """离线联署 · Cosign a request that came as a file; the same judgement and memory as over the network."""
    body = _read(request_file)
    answer = open_witness(folder, clock=utc_now).add_checkpoint(body)
    said = answer.body.decode()
    if answer.status != HTTPStatus.OK:
        known = f": the size cosigned last is {said.strip()}" if answer.status == HTTPStatus.CONFLICT else ""
        raise WitnessRefusal(f"{answer.status}{known or ': ' + said.strip()}", status=answer.status, answer=said)
    request = parse_request(body)
    lines = tuple(parse_signature(line) for line in said.splitlines())
    write_file(out, format_note(Note(parse_note(request.note).text, lines)), mode=0o644)
    body_json = {"origin": request.checkpoint.origin, "size": request.checkpoint.size, "file": str(out)}
    _say(body_json, f"{request.checkpoint.origin} {request.checkpoint.size} -> {out}", as_json=as_json)


@app.command("serve")
def serve_command(
    listen: Annotated[
        str, typer.Option("--listen", metavar="HOST:PORT", help="监听地址 · Address.")
    ] = "127.0.0.1:8450",
    folder: FolderOption = _FOLDER,
    as_json: JsonOption = False,
) -> None:
    """网络服务 · Answer logs over HTTP until stopped. Put a TLS proxy before it where the network is not yours."""
    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise typer.BadParameter("HOST:PORT", param_hint="--listen")
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    asyncio.run(_serve(host.strip("[]"), int(port), folder, as_json=as_json))


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with one of the documented codes."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        app(words, prog_name="shilu-witness")
    except WitnessRefusal as error:
        _complain(error, as_json="--json" in words)
        sys.exit(Exit.CHECK_FAILED)
    except CodedError as error:
        _complain(error, as_json="--json" in words)
        sys.exit(exit_for(error))
    except OSError as error:
        sys.stderr.write(f"shilu-witness: {error}\n")
        sys.exit(Exit.UNAVAILABLE)
    sys.exit(Exit.OK)


async def _serve(host: str, port: int, folder: Path, *, as_json: bool) -> None:
    witness = open_witness(folder, clock=utc_now)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for wish in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(wish, stop.set)
    async with serving(witness, host=host, port=port) as url:
        _say({"listening": url, "vkey": witness.vkey}, f"{url}  {witness.vkey}", as_json=as_json)
        await stop.wait()


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(REQUEST_BYTES_MAX + 1)


def _say(body: Mapping[str, object], line: str, *, as_json: bool) -> None:
    sys.stdout.write((json.dumps(body, ensure_ascii=False) if as_json else line) + "\n")
    sys.stdout.flush()


def _complain(error: CodedError, *, as_json: bool) -> None:
    if as_json:
        body = {"error": {"code": error.code, "message": error.message, "details": error.details}}
        sys.stderr.write(json.dumps(body, ensure_ascii=False, default=str) + "\n")
    else:
        sys.stderr.write(f"shilu-witness: {error}\n")


if __name__ == "__main__":
    main()
