"""Codes about times within a file and among its neighbours, and about looks; see `codes`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ingest.media.continuity.meaning import Meaning, info, notice

TIMELINE: Final[Mapping[str, Meaning]] = {
    "timeline.picture_gap": notice(
        "For a while there is no picture",
        "有一段时间没有画面",
        "variable frame rate, a recorder under load, a pause",
        "可变帧率，设备过载，暂停录制",
    ),
    "timeline.backwards": notice(
        "Times run backwards",
        "时间倒退",
        "clock set while recording, careless firmware",
        "录制中校时，固件不严谨",
    ),
    "timeline.sound_gap": notice(
        "The sound has a hole or overlaps itself",
        "声音有空隙或重叠",
        "a recorder under load, muting, drift that is made up for",
        "设备过载，静音，补偿时钟漂移",
    ),
    "timeline.sound_primed": notice(
        "For a moment the sound is exactly nothing, as where an encoder begins",
        "声音在一瞬间完全为零，如同编码器刚开始工作",
        "a recorder that restarted its sound encoder, a microphone that was muted for an instant",
        "设备重启音频编码器，麦克风被短暂静音",
    ),
    "timeline.starts_differ": notice(
        "Pictures and sound begin at different times",
        "画面与声音起始时间不同",
        "a microphone that starts late, trimming at a full picture",
        "麦克风启动较晚，按完整画面裁剪",
    ),
    "timeline.ends_differ": notice(
        "Pictures and sound end at different times",
        "画面与声音结束时间不同",
        "buffers not written at the end, power loss",
        "结束时缓冲未写完，断电",
    ),
    "timeline.frozen": notice(
        "The picture stands still",
        "画面静止",
        "a camera at rest before an unchanging scene",
        "设备静置且场景不变",
    ),
    "timeline.black": notice(
        "The picture is black",
        "画面全黑",
        "covered lens, darkness",
        "镜头被遮挡，黑暗环境",
    ),
}

SEQUENCE: Final[Mapping[str, Meaning]] = {
    "sequence.gap": notice(
        "Between this clip and its neighbour there is time that no clip covers",
        "本片段与相邻片段之间有未被覆盖的时间",
        "the recorder was switched off, or only records on demand",
        "设备关机，或仅按需录制",
    ),
    "sequence.short_gap": info(
        "Between this clip and its neighbour a short time is missing",
        "本片段与相邻片段之间缺少很短时间",
        "the change from file to file",
        "切换文件所需时间",
    ),
    "sequence.overlap": notice(
        "This clip and its neighbour claim the same time",
        "本片段与相邻片段时间重叠",
        "files that overlap by design, a clock that was set back",
        "按设计重叠的文件，时钟被回拨",
    ),
    "sequence.clock_back": notice(
        "The recorder's clock went back while its numbering went on",
        "编号递增而设备时钟倒退",
        "the clock was set, the battery was empty",
        "校时，电池耗尽",
    ),
    "sequence.number_gap": notice(
        "Between the numbers of neighbouring files some are missing",
        "相邻文件的编号有缺",
        "photographs share the numbering, files were not yet handed in",
        "照片共用编号，部分文件尚未上交",
    ),
    "sequence.rate_outlier": notice(
        "The clip's bytes per second are far from its neighbours'",
        "本片段码率与相邻片段相差悬殊",
        "another quality setting, a dark or still scene",
        "画质设置不同，画面较暗或静止",
    ),
    "sequence.length_outlier": info(
        "The clip is shorter than the length at which this recorder begins a new file",
        "本片段短于该设备分段的固定时长",
        "recording was stopped",
        "录制被停止",
    ),
    "sequence.make_outlier": notice(
        "The clip is coded or packed in another way than its neighbours",
        "本片段的编码或封装方式与相邻片段不同",
        "another mode, a firmware update",
        "模式不同，固件升级",
    ),
}
