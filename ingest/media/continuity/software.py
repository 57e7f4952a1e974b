"""Who wrote a file, by the words it carries: general-purpose software, and makers of devices."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ingest.media.continuity.observation import Notebook

_SOFTWARE = re.compile(
    r"\b(Lavf|Lavc|libx26[45]|x26[45]|HandBrake|Adobe|Premiere|After Effects|Final Cut|DaVinci|Vegas|CapCut|剪映|"
    r"Shotcut|Kdenlive|OpenShot|Avidemux|VirtualDub|MP4Box|GPAC|mkvmerge|mkvtoolnix|GStreamer|iMovie|InShot|VLC|Nero|Movavi|"
    r"Filmora|格式工厂|Google)",
    re.IGNORECASE,
)
_MAKER_NAMES = frozenset(
    name.casefold()
    for name in (
        *("\N{COPYRIGHT SIGN}mak", "\N{COPYRIGHT SIGN}mod", "make", "model", "manufacturer"),
        *("com.apple.quicktime.make", "com.apple.quicktime.model", "com.android.manufacturer", "com.android.model"),
    )
)


def note_software(notebook: Notebook, texts: Mapping[str, str]) -> None:
    """Note the programs that tags name, and that a device is named beside one."""
    programs = sorted({text.strip() for text in texts.values() if _SOFTWARE.search(text)})
    for program in programs:
        notebook.note("container.software", program=program)
    device = next((text for name, text in texts.items() if name.casefold() in _MAKER_NAMES and text.strip()), None)
    if device is not None and programs:
        notebook.note("container.software_on_device", device=device, program=programs[0])
