"""Everything a reviewer needs from one file: facts, poster, review copy, and an honest word about damage.

    probe -> decide -> poster -> review copy -> (decide again, if what was copied does not decode)

Runs inside the child process; the steps are functions of a path, so tests call them directly. What is the file's fault
ends as an `undecodable` result with its reason; what is not (disk, memory of the host) is raised.
"""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

from av.error import FFmpegError

from ingest.media.continuity.meaning import Severity
from ingest.media.continuity.observe import observe
from ingest.media.continuity.report import MEDIA_TYPE, NOT_WALKED, format_report
from ingest.media.errors import MediaError, MemorySpent, NoSpace, NothingDecodes, NoTracks, OutputSpent, TiledStill
from ingest.media.facts import Damage, PictureTrack, Probe
from ingest.media.frame_format import FILE_BYTES_MAX as FRAMES_BYTES_MAX
from ingest.media.frame_format import write_frames
from ingest.media.geometry import review_size
from ingest.media.lanes import KEYFRAME_SECONDS_MAX, X264_OPTIONS
from ingest.media.opening import tools
from ingest.media.playlist import format_playlist
from ingest.media.policy import Action, Decision, decide, without_copies
from ingest.media.probe import probe
from ingest.media.proxy import ProxyFacts, make_proxy
from ingest.media.reading import check_disk
from ingest.media.result import FORMS, REASON_CHARACTERS_MAX, Early, Facts, Kind, MadeObject, MediaResult
from ingest.media.stills import PosterFacts, make_poster
from ingest.media.whereabouts import device_of, place_of
from ledger.canonical import JsonValue
from ledger.errors import Blame

Report = Callable[[int], None]
Tell = Callable[[Facts | Early], None]

_FULL_DISK = frozenset((errno.ENOSPC, errno.EDQUOT))


@dataclass(slots=True)
class _Work:
    """What is known so far; each step adds to it, so that a refusal half-way still tells the rest."""

    source: Path
    folder: Path
    threads: int
    report: Report
    tell: Tell
    probe: Probe | None = None
    decision: Decision | None = None
    poster: PosterFacts | None = None
    proxy: ProxyFacts | None = None
    extras: list[Kind] = field(default_factory=list)

    def path(self, kind: Kind) -> Path:
        """Return where an object of that kind is written."""
        return self.folder / FORMS[kind].file_name

    def write(self, kind: Kind, data: bytes) -> None:
        """Write what was made beside the review copy."""
        self.path(kind).write_bytes(data)
        self.extras.append(kind)
        self.report(0)


def make_renditions(source: Path, folder: Path, *, threads: int, report: Report, tell: Tell) -> MediaResult:
    """Make what can be made of `source` in `folder`, an empty folder of its own.

    Args:
        source: The original; only read.
        folder: Where the files of the result are left, synced by whoever takes them.
        threads: Decoder and encoder threads; 1 is the careful way.
        report: Called often with the bytes read so far.
        tell: Called with what is known before the decoding, and with the poster when it is there.

    Raises:
        NoSpace, SourceUnreadable: The disk stands in the way; worth another try.
        MemorySpent: Worth another try with one thread.
    """
    work = _Work(source, folder, threads, report, tell)
    try:
        try:
            return _make(work)
        except (FFmpegError, OSError, MemoryError) as error:
            raise _translated(error) from error
    except MediaError as error:
        if error.blame is not Blame.INPUT or isinstance(error, MemorySpent):
            raise
        if error.code != NoTracks.code:
            # Before a file is called broken: is it the file, or the disk below it?
            check_disk(source, report)
        return MediaResult(
            outcome="undecodable",
            reason=str(error)[:REASON_CHARACTERS_MAX],
            probe=_probe_json(work),
            objects=_observed(work),
            tools=tools(),
            parameters=_parameters(work),
        )


def _make(work: _Work) -> MediaResult:
    work.probe = probe(work.source)
    work.report(0)
    work.decision = decide(work.probe)
    work.tell(Facts(probe=_probe_json(work), tools=tools(), parameters=_parameters(work)))
    if work.decision.action is Action.NONE:
        if work.decision.refusal is TiledStill:
            raise TiledStill("the still is stored in tiles that cannot be put together here")
        raise NoTracks("the file holds neither pictures nor sound")
    picture = work.decision.picture
    # Mapping a high dynamic range costs seconds before the first picture; then the review copy lends its own, and what
    # is shown until then is mapped quickly.
    borrows = picture is not None and picture.colours.high_dynamic_range and work.decision.action is Action.FULL
    if picture is not None:
        poster = make_poster(work.source, work.path("poster"), picture, quickly=borrows)
        work.report(0)
        if poster is not None:
            work.tell(Early(MadeObject("poster", work.path("poster"), "image/jpeg")))
        work.poster = None if borrows else poster
    if work.decision.action is Action.STILL:
        if work.poster is None:
            raise NothingDecodes("the photograph does not decode")
        return _result(work)
    made = _make_proxy(work, work.probe, work.decision)
    if borrows and picture is not None and made.pictures:
        size = review_size(picture.size, pixel_aspect=picture.pixel_aspect, turn=picture.turn)
        # Another file under the name: whoever reads the first still meets it or the poster, never a mixture.
        better = work.folder / "poster.better"
        poster = make_poster(work.path("proxy"), better, PictureTrack(0, "h264", size))
        if poster is not None:
            better.replace(work.path("poster"))
        work.poster = poster and replace(poster, at_ms=(poster.at_ms or 0) + made.origin_ms)
    return _result(work)


def _make_proxy(work: _Work, facts: Probe, decision: Decision) -> ProxyFacts:
    """Make the review copy; what turns out to be unfit for copying, or to have no pictures, is decided again.

    Each round asks for less than the one before (copying, then encoding, then sound alone), so there are three at most.
    """
    target = work.path("proxy")
    while True:
        work.decision = decision
        target.unlink(missing_ok=True)
        try:
            made = make_proxy(work.source, target, decision, facts, threads=work.threads, report=work.report)
        except FFmpegError as error:
            if not decision.copies or not isinstance(_translated(error), NothingDecodes):
                raise
            decision = without_copies(decision)
            continue
        work.proxy = made
        missing = decision.picture is not None and not made.pictures
        if decision.copies and (made.damage.any or missing):
            decision = without_copies(decision)
        elif missing and made.samples:
            why = (*decision.why, "picture.undecodable")
            decision = Decision(Action.AUDIO_ONLY, sound=decision.sound, why=why)
        elif made.pictures or made.samples:
            break
        else:
            target.unlink(missing_ok=True)
            raise NothingDecodes("no picture and no sound could be decoded")
    if made.damage.read_errors:
        check_disk(work.source, work.report)
    _write_extras(work, made)
    return made


def _write_extras(work: _Work, made: ProxyFacts) -> None:
    """Write what came of the same pass beside the review copy."""
    raw = b"" if made.frames is None else write_frames(made.frames)
    if 0 < len(raw) <= FRAMES_BYTES_MAX:
        work.write("frames", raw)
    if made.fragments is not None:
        work.write("playlist", format_playlist(made.fragments))
    if made.board is not None:
        work.write("storyboard", made.board.cues(end=Fraction(made.duration_ms, 1000)))
        work.write("storyboard-sheet", made.board.sheet())
    if made.ear is not None:
        made.ear.finish()
        work.write("waveform", made.ear.waveform.file())
        if (speech := made.ear.speech()) is not None:
            work.write("speech", speech)
    work.write("continuity", format_report(made.continuity))


def _result(work: _Work) -> MediaResult:
    picture = work.decision is not None and work.decision.picture is not None
    kinds: list[Kind] = []
    if work.proxy is not None:
        kinds.append("proxy")
    if work.poster is not None and picture:
        kinds.append("poster")
    else:
        work.path("poster").unlink(missing_ok=True)
    kinds += work.extras
    audio = work.proxy is not None and not picture
    return MediaResult(
        outcome="still" if work.proxy is None else "audio" if audio else "reviewable",
        reason=_damage_sentence(work),
        probe=_probe_json(work),
        objects=tuple(
            MadeObject(kind, work.path(kind), FORMS[kind].media_types[kind == "proxy" and audio]) for kind in kinds
        ),
        tools=tools(),
        parameters=_parameters(work),
    )


def _observed(work: _Work) -> tuple[MadeObject, ...]:
    """Return what there is even where nothing decodes; of what is no film file nothing."""
    try:
        for form in FORMS.values():
            (work.folder / form.file_name).unlink(missing_ok=True)
        report = observe(work.source, work.report) if work.proxy is None else work.proxy.continuity
        if report.walk == NOT_WALKED:
            return ()
        work.path("continuity").write_bytes(format_report(report))
    except OSError as error:
        raise _translated(error) from error
    return (MadeObject("continuity", work.path("continuity"), MEDIA_TYPE),)


def _damage_sentence(work: _Work) -> str | None:
    damage = work.proxy.damage if work.proxy else Damage()
    counts = dict(damage.as_json())
    if work.probe is not None and work.probe.container.missing_bytes:
        counts["missing_bytes"] = work.probe.container.missing_bytes
    elif not damage.any:
        return None
    words = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in counts.items() if count)
    return f"media.damaged: what could be decoded was, the rest is lost or doubtful ({words})"


def _probe_json(work: _Work) -> dict[str, JsonValue]:
    if work.probe is None:
        return {}
    facts = work.probe.as_json()
    tags = work.probe.container.tags.kept
    place = place_of(tags)
    facts["device"] = device_of(tags)
    facts["place"] = None if place is None else place.as_json()
    if work.proxy is not None:
        facts["decoded"] = {
            "pictures": work.proxy.pictures,
            "samples": work.proxy.samples,
            "origin_ms": work.proxy.origin_ms,
            "duration_ms": work.proxy.duration_ms,
        }
        facts["positions"] = work.proxy.positions.as_json()
        facts["damage"] = work.proxy.damage.as_json()
        observed = work.proxy.continuity.observations
        weights = Counter(one.severity.value for one in observed)
        codes = {one.code for one in observed if one.severity is not Severity.INFO}
        facts["continuity"] = {**{word: weights[word] for word in ("high", "notice", "info")}, "codes": sorted(codes)}
        frames = work.proxy.frames if "frames" in work.extras else None
        facts["frames"] = None if frames is None else {"units": sum(map(len, frames.tracks)), "ranges": frames.ranges}
    return facts


def _parameters(work: _Work) -> dict[str, JsonValue]:
    decision = work.decision
    if decision is None:
        return {}
    stated: dict[str, JsonValue] = {
        "action": decision.action.value,
        "why": list(decision.why),
        "picture": decision.picture.index if decision.picture else None,
        "sound": decision.sound.index if decision.sound else None,
        "threads": work.threads,
    }
    if work.poster is not None:
        stated["poster"] = {
            "width": work.poster.size.width,
            "height": work.poster.size.height,
            "at_ms": work.poster.at_ms,
        }
    if work.proxy is not None and work.proxy.ear is not None:
        stated["speech"] = work.proxy.ear.detector
    if decision.picture is not None and decision.action is Action.FULL:
        stated["h264"] = {**X264_OPTIONS, "keyframe_seconds_max": KEYFRAME_SECONDS_MAX}
    return stated


def _translated(error: FFmpegError | OSError | MemoryError) -> MediaError:
    """Return the project's word for what a library could not do."""
    number = getattr(error, "errno", None)
    if isinstance(error, MemoryError) or number == errno.ENOMEM:
        return MemorySpent("decoding needs more memory than one file may have")
    if number in _FULL_DISK:
        return NoSpace("the disk for work in progress is full")
    if number == errno.EFBIG:
        return OutputSpent("the review copy grows beyond the limit for an original of this size")
    return NothingDecodes(f"the media library gives up: {type(error).__name__}")
