"""The process that decodes: `python -m ingest.media.child REQUEST`, started by `ingest.media.runner` alone.

REQUEST is JSON: `{"source": <descriptor>, "folder": <path>, "parent": <process id>, "threads": <n>, "limits": {...}}`.
Answers go to standard output, one per line (see `ingest.media.result`); standard error is for the authors.

The order matters: bind first, then load the media library, then look at the file. The source comes as an open,
read-only descriptor; its name is not known here.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import BinaryIO

from ingest.media.errors import MediaError
from ingest.media.limits import Limits, confine
from ingest.media.result import Failure, Progress, Saying, format_saying

PROGRESS_SECONDS = 0.25


class Voice:
    """The child's side of the line: progress at most a few times a second, and one last word."""

    def __init__(self, line: BinaryIO) -> None:
        self._line = line
        self._steps = 0
        self._said = time.monotonic()

    def progress(self, read: int) -> None:
        """Count a step; say so if the last time is long enough ago."""
        self._steps += 1
        now = time.monotonic()
        if now - self._said >= PROGRESS_SECONDS:
            self._said = now
            self.say(Progress(read=read, steps=self._steps))

    def say(self, saying: Saying) -> None:
        """Write one line, at once."""
        self._line.write(format_saying(saying))
        self._line.flush()


def main(request: str) -> int:
    """Do what the request says; the exit code is 0 whenever a last word was said."""
    wanted = json.loads(request)
    confine(Limits(**wanted["limits"]), parent=int(wanted["parent"]))
    # Whatever a library prints must not get between the answers.
    with os.fdopen(os.dup(1), "wb") as line:
        os.dup2(2, 1)
        voice = Voice(line)
        voice.say(
            _word(Path(f"/proc/self/fd/{int(wanted['source'])}"), Path(wanted["folder"]), wanted["threads"], voice)
        )
    return 0


def _word(source: Path, folder: Path, threads: int, voice: Voice) -> Saying:
    import av.logging

    from ingest.media.rendition import make_renditions

    av.logging.set_level(None)
    try:
        return make_renditions(source, folder, threads=threads, report=voice.progress, tell=voice.say)
    except MediaError as error:
        return Failure(code=error.code, message=error.message)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
