"""What can be noticed about a recorder's sequence: one code per observation, with its weight and its innocent causes.

An observation is a lead, never a verdict, and none of them says who did what. Weights are those of continuity: `info`
belongs to the picture, `notice` happens with honest recorders and is worth knowing, `high` should be looked at by a
person, beginning with the causes. Each code always has the same weight.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

FILE_VANISHED = "recorder.file_vanished"
FILE_REPLACED = "recorder.file_replaced"
NUMBERS_MISSING = "recorder.numbers_missing"
NUMBERS_JUMP = "recorder.numbers_jump"
NUMBERS_ANEW = "recorder.numbers_anew"
TIME_MISSING = "recorder.time_missing"
TIMES_OVERLAP = "recorder.times_overlap"
CLOCK_OFF = "recorder.clock_off"
CLOCK_JUMPED = "recorder.clock_jumped"
CLOCK_AHEAD = "recorder.clock_ahead"
CLOCK_SET_BACK = "recorder.clock_set_back"
TWO_DOCKS = "recorder.two_docks"
OTHER_DEVICE = "recorder.other_device"
INVENTORY_MISSING = "recorder.inventory_missing"
INVENTORY_REPEATED = "recorder.inventory_repeated"


class Weight(StrEnum):
    """How much an observation weighs; see the module."""

    INFO = "info"
    NOTICE = "notice"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a code stands for: its weight, a sentence in two languages, and the innocent causes in both."""

    weight: Weight
    en: str
    zh: str
    causes_en: str
    causes_zh: str


MEANINGS: Mapping[str, Meaning] = MappingProxyType(
    {
        FILE_VANISHED: Meaning(
            Weight.HIGH,
            "Files that a dock had listed are not on the recorder any more, and were not sealed",
            "采集站曾登记的文件已不在记录仪上，且未封存",
            "taken out before the transfer was complete and overwritten by the recorder itself, another card in it, a "
            "transfer that is still under way from the dock's own disk, a dock without a network",
            "传输完成前取出后被设备循环覆盖，更换存储卡，仍在从采集站本机上传，采集站断网",
        ),
        FILE_REPLACED: Meaning(
            Weight.HIGH,
            "A file stands under the name of another one, while its neighbours are the same",
            "同名文件的内容与此前登记的不同，而相邻文件未变",
            "a recorder that goes on writing a file, mends it after a loss of power, or gives free numbers again",
            "设备继续写入该文件，断电后自动修复，或重复使用空出的编号",
        ),
        NUMBERS_MISSING: Meaning(
            Weight.HIGH,
            "The recorder's counter passed over numbers that no dock has seen",
            "记录仪的编号有缺，缺号的文件从未被任何采集站看到",
            "recordings that were begun and given up, a card that was changed or read elsewhere, stills kept apart, a "
            "counter shared with files that are not footage, a docking of which the statement is still on its way",
            "启动后放弃的录制，更换或在别处读取存储卡，照片另存，编号与非影像文件共用，另一次接入的清单尚未送达",
        ),
        NUMBERS_JUMP: Meaning(
            Weight.NOTICE,
            "The recorder's counter jumped ahead by more than a thousand",
            "记录仪的编号向前跳跃超过一千",
            "a card of another recorder, maintenance, new firmware",
            "使用过其他设备的存储卡，维修，固件升级",
        ),
        NUMBERS_ANEW: Meaning(
            Weight.INFO,
            "The recorder's counter began anew",
            "记录仪的编号重新开始",
            "the card was emptied after transfer or formatted, a new card, a reset, the counter has come to its end",
            "传输后清空或格式化，更换存储卡，恢复出厂设置，编号用尽",
        ),
        TIME_MISSING: Meaning(
            Weight.HIGH,
            "Between two segments of one recording there is time for whole segments that no dock has seen",
            "连续录制的两个分段之间缺少一个或多个完整分段的时间",
            "a recording that was stopped and begun again just then, a segment that could not be written",
            "恰在此时停止并重新录制，某一分段写入失败",
        ),
        TIMES_OVERLAP: Meaning(
            Weight.NOTICE,
            "Two recordings in a row overlap in time",
            "前后两段录像的时间重叠",
            "pre-recording, a second lens, a clock set back, a file time that is not the recording's end",
            "预录，双镜头，时钟回拨，文件时间并非录制结束时间",
        ),
        CLOCK_OFF: Meaning(
            Weight.NOTICE,
            "The recorder's clock is more than two minutes off",
            "记录仪时钟偏差超过两分钟",
            "a long time without being set, an empty battery, a wrong time zone",
            "长期未校时，电池耗尽，时区设置错误",
        ),
        CLOCK_JUMPED: Meaning(
            Weight.NOTICE,
            "The recorder's clock moved against the dock's by more than it can drift",
            "与采集站时钟相比，记录仪时钟的变化超出正常漂移",
            "it was set, by the dock or by hand; an empty battery; summer time",
            "由采集站或人工校时，电池耗尽，时制变更",
        ),
        CLOCK_AHEAD: Meaning(
            Weight.NOTICE,
            "Recordings are dated later than the moment at which the dock saw them",
            "录像所载时间晚于采集站看到它的时刻",
            "a recorder's clock that is ahead, a wrong time zone, a dock's clock that is behind",
            "记录仪时钟偏快，时区设置错误，采集站时钟偏慢",
        ),
        CLOCK_SET_BACK: Meaning(
            Weight.NOTICE,
            "By its number a recording is later than another, by its time it is earlier",
            "按编号在后的录像，其时间反而在前",
            "the clock was set between them, an empty battery",
            "两次录制之间校过时，电池耗尽",
        ),
        TWO_DOCKS: Meaning(
            Weight.HIGH,
            "Two docks saw this recorder at the same time",
            "两台采集站在同一时间看到同一台记录仪",
            "two recorders that bear the same number, a card that was taken out of its recorder, a dock's clock that "
            "was set between two statements",
            "两台设备编号相同，存储卡被单独取出，采集站在两次登记之间校过时",
        ),
        OTHER_DEVICE: Meaning(
            Weight.NOTICE,
            "The device says something else of itself than at the docking before",
            "设备自述的标识与上次接入时不同",
            "a formatted or another card, a repaired device, new firmware, another reader",
            "格式化或更换存储卡，设备维修，固件升级，更换读卡设备",
        ),
        INVENTORY_MISSING: Meaning(
            Weight.NOTICE,
            "The dock made inventories of this recorder that did not arrive here",
            "采集站曾为该记录仪制作清单，但未送达",
            "statements that are still on their way, a dock whose state was set back",
            "清单仍在途中，采集站状态被还原",
        ),
        INVENTORY_REPEATED: Meaning(
            Weight.NOTICE,
            "The dock counts its inventories of this recorder from an earlier number than before",
            "采集站为该记录仪的清单编号重复或倒退",
            "a dock whose state was restored from an older copy",
            "采集站状态由较早的备份恢复",
        ),
    }
)
"""Every code with its meaning."""
