"""`shilu verify`, `shilu export`, `shilu audit`: looking things up and checking them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from api.cli.context import ask, parse_uuid
from api.cli.excerpt import milliseconds
from api.cli.exits import Exit
from api.cli.options import DatabaseOption, DataOption, JsonOption, config_from
from api.cli.output import print_findings, print_json
from api.cli.progress import showing_bytes, showing_words
from api.cli.run import run
from api.config import ServiceConfig
from api.exports import WrittenPackage, write_package
from api.services import Services
from api.tasks import Audited, ExportedClip, Verified, audit_all, export_clips, verify_clips
from evidence.export.parts import Wanted
from evidence.parties.purposes import PURPOSES

_HIT_CHARS = 80
_ACTOR = "service"

_PURPOSES_HELP = "Why: " + ", ".join(f"{key} ({chinese})" for key, (chinese, _) in PURPOSES.items()) + "."
ClipsArgument = Annotated[
    list[str] | None, typer.Argument(metavar="[CLIP]...", help="Ids of clips.", show_default=False)
]
AllOption = Annotated[bool, typer.Option("--all", help="Every clip there is.")]


def verify_command(
    clips: ClipsArgument = None,
    every: AllOption = False,
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Verify stored originals: file, clip tree, payload, entry, inclusion, checkpoint. Exit code 1 if one fails.

    This checks what this house stores by this house's own key. A reader elsewhere runs `shilu-verify` on an export.
    """
    wanted = _wanted(clips, every=every)

    async def question(services: Services) -> list[Verified]:
        with showing_bytes("verifying") as advance:
            return [one async for one in verify_clips(services, wanted, advance=advance)]

    verified = run(ask(config_from(data, database), question))
    holds = all(one.holds for one in verified)
    if as_json:
        print_json({"verified": holds, "clips": [one.as_json() for one in verified]})
    else:
        for one in verified:
            typer.echo(f"{one.clip}  {one.name}")
            print_findings(one.findings)
        typer.echo(f"{len(verified)} clips, {sum(not one.holds for one in verified)} with a failed check")
    if not holds:
        raise typer.Exit(Exit.CHECK_FAILED)


def export_command(
    to: Annotated[Path, typer.Option("--to", help="Folder to write into; one folder per clip is made in it.")],
    clips: ClipsArgument = None,
    every: AllOption = False,
    package: Annotated[
        bool, typer.Option("--package", help="One package (BagIt) of all these clips, instead of a folder for each.")
    ] = False,
    case: Annotated[
        str | None, typer.Option("--case", help="One package of a case: all its exhibits, or those named.")
    ] = None,
    excerpt: Annotated[
        list[str] | None,
        typer.Option(
            "--excerpt",
            metavar="CLIP=FROM-TO",
            help="Of a package: hand this clip over as an excerpt, times as the player shows them; may be repeated.",
        ),
    ] = None,
    purpose: Annotated[str, typer.Option("--purpose", help=_PURPOSES_HELP)] = "litigation",
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write evidence folders: original, receipt, leaf hashes, policy, instructions. The export is logged first.

    With --case or --package: one package with a certificate, annotations, the custody log and lists of all files.
    Exhibits named with --excerpt are excerpts in it, with proofs; all others are originals.
    """
    if package or case is not None:
        named, spans = [parse_uuid(clip) for clip in clips or ()], [span_of(text) for text in excerpt or ()]
        config = config_from(data, database)
        _export_package(case, named, spans, to=to, purpose=purpose, config=config, as_json=as_json)
        return
    if excerpt:
        raise typer.BadParameter("--excerpt is for packages: add --package, or --case; or use shilu excerpt")
    wanted = _wanted(clips, every=every)

    async def question(services: Services) -> list[ExportedClip]:
        with showing_bytes("exporting") as advance:
            return [
                one
                async for one in export_clips(services, wanted, to=to, actor=_ACTOR, purpose=purpose, advance=advance)
            ]

    exported = run(ask(config_from(data, database), question))
    if as_json:
        print_json({"clips": [one.as_json() for one in exported]})
    else:
        for one in exported:
            typer.echo(f"{one.clip}  {one.folder}")
        typer.echo(f"check with: shilu-verify {to} --log-key KEY")


def span_of(text: str) -> Wanted:
    """Read `CLIP=FROM-TO`.

    Raises:
        BadParameter: It is none.
    """
    clip, _, seconds = text.partition("=")
    begin, dash, end = seconds.partition("-")
    if not dash:
        raise typer.BadParameter(f"{text!r} is not CLIP=FROM-TO")
    return Wanted(parse_uuid(clip), milliseconds(begin), milliseconds(end))


def _export_package(
    case: str | None,
    clips: list[UUID],
    wanted: list[Wanted],
    *,
    to: Path,
    purpose: str,
    config: ServiceConfig,
    as_json: bool,
) -> None:
    async def question(services: Services) -> WrittenPackage:
        with showing_bytes("exporting") as advance:
            return await write_package(
                services,
                case=None if case is None else parse_uuid(case),
                clips=clips,
                wanted=wanted,
                to=to,
                purpose=purpose,
                actor=_ACTOR,
                advance=advance,
            )

    written = run(ask(config, question))
    if as_json:
        print_json(written.as_json())
        return
    partly = f" ({written.excerpts} as excerpts)" if written.excerpts else ""
    typer.echo(f"{written.exhibits} exhibits{partly}, {written.files} files  {written.folder}")
    if not written.traced:
        typer.echo("nothing publishes the log now: the package lacks the receipt of its hand-over (export.trace)")
    typer.echo(f"check with: shilu-verify {written.folder} --log-key KEY")


def audit_command(
    since: Annotated[
        Path | None, typer.Option("--since", help="A checkpoint kept elsewhere; the log must still contain its state.")
    ] = None,
    record: Annotated[
        bool, typer.Option("--record/--no-record", help="Put the result on record in the ledger.")
    ] = True,
    data: DataOption = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Recompute the tree from all entries; compare tiles, rows and objects both ways; name every difference.

    Exit code 0 when nothing differs, 1 when something does.
    """
    checkpoint = None if since is None else _read(since)

    async def question(services: Services) -> Audited:
        with showing_words("auditing") as say:
            return await audit_all(services, since=checkpoint, put_on_record=record, say=say)

    audited = run(ask(config_from(data, database), question))
    if as_json:
        print_json(audited.as_json())
    else:
        print_findings(audited.findings)
        verdict = "clean" if audited.is_clean else f"{len(audited.findings)} findings"
        typer.echo(f"{verdict}: log of {audited.size} entries, root {audited.root}")
    if not audited.is_clean:
        raise typer.Exit(Exit.CHECK_FAILED)


def _wanted(clips: list[str] | None, *, every: bool) -> list[UUID] | None:
    if bool(clips) == every:
        raise typer.BadParameter("name clips by their ids, or say --all")
    return None if every else [parse_uuid(clip) for clip in clips or ()]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise typer.BadParameter(f"{path} cannot be read: {error.strerror}") from error
