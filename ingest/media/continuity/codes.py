"""The closed list of continuity observations: what each means, how much it weighs, and what may innocently cause it.

An observation is a lead and never a verdict. Its weight says how seldom a recorder that works and writes a file once
produces it:

- `info`: facts that belong to the picture, found in most files;
- `notice`: seen in intact files too, worth knowing when the file is questioned;
- `high`: not seen in any intact file this project was tried on; a person should look, beginning with the causes.

Each code always has the same weight; where a measure decides, there are two codes. Pure data: no media library.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final


class Severity(Enum):
    """How much an observation weighs; see the module."""

    INFO = "info"
    NOTICE = "notice"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a code stands for: its weight, a sentence in two languages, and the innocent causes in both."""

    severity: Severity
    en: str
    zh: str
    causes_en: str
    causes_zh: str


def _info(en: str, zh: str, causes_en: str, causes_zh: str) -> Meaning:
    return Meaning(Severity.INFO, en, zh, causes_en, causes_zh)


def _notice(en: str, zh: str, causes_en: str, causes_zh: str) -> Meaning:
    return Meaning(Severity.NOTICE, en, zh, causes_en, causes_zh)


def _high(en: str, zh: str, causes_en: str, causes_zh: str) -> Meaning:
    return Meaning(Severity.HIGH, en, zh, causes_en, causes_zh)


_CONTAINER: Final[Mapping[str, Meaning]] = {
    "container.not_walked": _info(
        "The container is of a kind whose structure is not walked here",
        "此类容器的结构未逐项检查",
        "bare streams, sound files and photographs have little structure",
        "裸码流、音频与照片文件本身结构很少",
    ),
    "container.limit": _info(
        "The walk stopped at a limit; the rest of the structure was not looked at",
        "检查达到上限而止，其余结构未查看",
        "very long recordings, or a file made to be expensive",
        "录像极长，或文件被构造得极其耗时",
    ),
    "container.software": _info(
        "The file names the software that wrote it",
        "文件写明了写入它的软件",
        "many recorders use common libraries and say so",
        "许多设备内置通用软件库并写明名称",
    ),
    "container.software_on_device": _notice(
        "The file names a maker or model and also a general-purpose program that wrote it",
        "文件同时写有设备厂商或型号和通用软件的名称",
        "export by the maker's own application, firmware built on a common library",
        "由厂商软件导出，或设备固件使用通用软件库",
    ),
    "container.index_first": _info(
        "The index stands before the media",
        "索引位于媒体数据之前",
        "recorders that reserve room for it; exports for the web",
        "设备预留了索引空间；为网络播放导出",
    ),
    "container.part_unknown": _info(
        "There is an outermost part of a kind that is not known here",
        "最外层有此处未知类型的部分",
        "makers keep positions and device data in parts of their own",
        "厂商用自有部分保存定位与设备数据",
    ),
    "container.start_unusual": _notice(
        "The file does not begin with the part that its kind begins with",
        "文件不以该类型应有的部分开头",
        "old or simple recorders",
        "较旧或简单的设备",
    ),
    "container.malformed": _notice(
        "A part contradicts the length or form it states",
        "某一部分与其自述的长度或格式不符",
        "careless firmware, a bad sector, a recording that broke off",
        "固件不严谨、坏扇区、录制中断",
    ),
    "container.truncated": _high(
        "The file ends before its last part does",
        "文件在最后一部分结束之前就结束了",
        "power loss or a pulled card while recording, an incomplete copy",
        "录制时断电或拔卡，拷贝不完整",
    ),
    "container.index_missing": _high(
        "There is media but no index",
        "有媒体数据而没有索引",
        "power loss before the recorder wrote its index",
        "设备写入索引之前断电",
    ),
    "container.index_repeated": _high(
        "There is more than one index",
        "存在不止一个索引",
        "a recorder that repaired an interrupted recording",
        "设备修复过中断的录像",
    ),
    "container.trailing_bytes": _high(
        "Bytes follow that belong to no part of the file",
        "文件末尾之后有不属于任何部分的字节",
        "makers' trailers with positions or thumbnails, a copying tool",
        "厂商附加的定位或缩略图数据，拷贝工具所致",
    ),
    "container.trailing_zeros": _info(
        "Zero bytes follow behind the last part",
        "最后一部分之后有全零字节",
        "room reserved by the recorder, cluster padding",
        "设备预留的空间，簇填充",
    ),
    "container.padding_filled": _notice(
        "Free space inside the file is not empty",
        "文件内的空闲空间并非为空",
        "the remains of an earlier index, makers' data",
        "旧索引的残留，厂商数据",
    ),
    "container.unreferenced_bytes": _notice(
        "Media data hold bytes that no track refers to",
        "媒体数据中有任何轨道都未引用的字节",
        "pictures dropped by the recorder, data of makers, alignment",
        "设备丢弃的画面、厂商数据、对齐",
    ),
    "container.samples_outside": _high(
        "The index points outside the media data",
        "索引指向媒体数据之外",
        "an incomplete copy, a wrongly written index",
        "拷贝不完整，索引写入有误",
    ),
    "container.samples_overlap": _high(
        "Two pieces of the index share the same bytes",
        "索引中的两段共用同一些字节",
        "a muxer that stores equal data once",
        "封装软件对相同数据只存一份",
    ),
    "container.sample_entries": _high(
        "A track changes to another description of its coding",
        "轨道中途换用另一份编码说明",
        "a camera that changes resolution or exposure mode while recording",
        "设备录制中切换分辨率或模式",
    ),
    "container.index_disagrees": _high(
        "Index and media contradict each other",
        "索引与媒体数据互相矛盾",
        "power loss while the index was written, a repair tool",
        "写索引时断电，修复工具所致",
    ),
    "container.times_disagree": _high(
        "The file states several times of creation that cannot all be true",
        "文件写有互相矛盾的多个创建时间",
        "the clock was set while recording; exports that renew only some of the times",
        "录制过程中校时；导出时只更新了部分时间",
    ),
    "container.modified_later": _notice(
        "The file states that it was changed after it was recorded",
        "文件自述在录制之后被修改过",
        "the recorder's own tidying, import by a phone or a computer",
        "设备自身整理，手机或电脑导入",
    ),
    "container.lengths_disagree": _notice(
        "The lengths stated for the film, its tracks and their media disagree",
        "影片、轨道与媒体自述的时长不一致",
        "careless firmware, an edit list",
        "固件不严谨，编辑列表",
    ),
    "container.edit_hides": _notice(
        "An edit list hides recorded media from the viewer",
        "编辑列表使部分已录媒体不被播放",
        "trimming in the phone's own gallery, start-up pictures of the encoder",
        "在手机相册内裁剪，编码器起始画面",
    ),
    "container.edit_several": _notice(
        "A track is put together from several stretches of its media",
        "轨道由其媒体的多段拼成",
        "slow motion or trimming on the device",
        "设备上的慢动作或裁剪功能",
    ),
    "container.fragment_gap": _high(
        "Fragments of the film do not follow one another",
        "影片分片不相衔接",
        "a stream that lost a part on the network",
        "网络传输中丢失了一段",
    ),
    "container.packets_lost": _high(
        "The transport stream's counters skip or repeat",
        "传输流计数器跳跃或重复",
        "loss on the radio link or the network; segments put one behind the other",
        "无线或网络丢包；分段首尾相接",
    ),
    "container.clock_jump": _high(
        "The transport stream's clock jumps without saying so",
        "传输流时钟跳变而未声明",
        "segments put one behind the other, an encoder that restarted",
        "分段首尾相接，编码器重启",
    ),
    "container.sync_lost": _notice(
        "The transport stream loses its rhythm of packets",
        "传输流失去包同步",
        "a bad sector, an interrupted transfer",
        "坏扇区，传输中断",
    ),
}

_BITSTREAM: Final[Mapping[str, Meaning]] = {
    "bitstream.unread": _info(
        "Some pictures' headers could not be read here; nothing is said about them",
        "部分画面的头信息无法在此解读，对其不作判断",
        "features that this reader does not know",
        "使用了此解析器不支持的特性",
    ),
    "bitstream.encoder": _info(
        "The pictures name the program that coded them",
        "画面数据写明了编码软件",
        "recorders and exports that use common encoders",
        "设备或导出使用通用编码器",
    ),
    "bitstream.encoder_restarted": _high(
        "An encoder's opening words come again in the middle",
        "编码器的起始信息在中途再次出现",
        "a recorder that restarted its encoder and went on in the same file",
        "设备重启编码器后继续写同一文件",
    ),
    "bitstream.sound_restarted": _high(
        "The sound encoder's opening words come again in the middle",
        "音频编码器的起始信息在中途再次出现",
        "a recorder that restarted its encoder and went on in the same file",
        "设备重启编码器后继续写同一文件",
    ),
    "bitstream.signed": _info(
        "The camera signed its pictures inside the stream; the signature is not judged here",
        "摄像机在码流中写入了签名，此处不作验证",
        "cameras with signed media (Axis, ONVIF)",
        "支持媒体签名的摄像机（Axis、ONVIF）",
    ),
    "bitstream.parameters_changed": _high(
        "The coding parameters change in the middle",
        "编码参数在中途改变",
        "a camera that changes resolution or quality mode while recording",
        "设备录制中切换分辨率或画质",
    ),
    "bitstream.picture_parameters": _notice(
        "Parameters of single pictures change in the middle",
        "画面级编码参数在中途改变",
        "encoders that tune them as they go",
        "编码器动态调整",
    ),
    "bitstream.starts_inside": _notice(
        "The first picture is not one that a recording begins with",
        "首个画面不是录像正常的起始画面",
        "a recorder with pre-recording, a recording of a running stream, trimming",
        "设备预录功能，录制进行中的码流，裁剪",
    ),
    "bitstream.start_missing": _high(
        "The first picture is built on pictures that are not in the file",
        "首个画面依赖文件中不存在的画面",
        "a recording taken from a running stream, loss at its beginning",
        "从进行中的码流截取，开头丢失",
    ),
    "bitstream.frame_gap": _high(
        "The count of reference pictures skips: pictures are missing",
        "参考画面编号跳跃：缺少画面",
        "a recorder that lost pictures under load, loss in transmission",
        "设备过载丢帧，传输丢失",
    ),
    "bitstream.frame_gap_allowed": _info(
        "The count of reference pictures skips in a stream that announces such gaps",
        "参考画面编号跳跃，但码流声明允许",
        "temporal layers left out by design",
        "按设计省略时间层",
    ),
    "bitstream.frame_repeated": _high(
        "The count of reference pictures does not go on where it must",
        "参考画面编号应递增而未递增",
        "an encoder that counts wrongly",
        "编码器计数有误",
    ),
    "bitstream.order_gap": _high(
        "A place in the order of pictures is empty: a picture is missing",
        "画面显示顺序有空位：缺少画面",
        "a recorder that lost pictures under load",
        "设备过载丢帧",
    ),
    "bitstream.order_gap_habit": _info(
        "The order of pictures has empty places throughout",
        "画面显示顺序处处有空位",
        "an encoder that skips pictures or counts by time",
        "编码器跳帧或按时间编号",
    ),
    "bitstream.reference_missing": _high(
        "A picture is built on one that is not there",
        "画面所依赖的参考画面不存在",
        "loss in transmission, a recorder that lost pictures",
        "传输丢失，设备丢帧",
    ),
    "bitstream.cadence": _notice(
        "The distance between full pictures breaks its rule",
        "完整画面的间隔偏离其规律",
        "a full picture on demand, a change of scene",
        "按需插入完整画面，场景变化",
    ),
    "bitstream.idr_number": _notice(
        "The numbering of full pictures breaks its rule",
        "完整画面的编号偏离其规律",
        "an encoder that restarted, or numbers at will",
        "编码器重启或编号随意",
    ),
}

_TIMELINE: Final[Mapping[str, Meaning]] = {
    "timeline.picture_gap": _notice(
        "For a while there is no picture",
        "有一段时间没有画面",
        "variable frame rate, a recorder under load, a pause",
        "可变帧率，设备过载，暂停录制",
    ),
    "timeline.backwards": _notice(
        "Times run backwards",
        "时间倒退",
        "clock set while recording, careless firmware",
        "录制中校时，固件不严谨",
    ),
    "timeline.sound_gap": _notice(
        "The sound has a hole or overlaps itself",
        "声音有空隙或重叠",
        "a recorder under load, muting, drift that is made up for",
        "设备过载，静音，补偿时钟漂移",
    ),
    "timeline.starts_differ": _notice(
        "Pictures and sound begin at different times",
        "画面与声音起始时间不同",
        "a microphone that starts late, trimming at a full picture",
        "麦克风启动较晚，按完整画面裁剪",
    ),
    "timeline.ends_differ": _notice(
        "Pictures and sound end at different times",
        "画面与声音结束时间不同",
        "buffers not written at the end, power loss",
        "结束时缓冲未写完，断电",
    ),
    "timeline.frozen": _notice(
        "The picture stands still",
        "画面静止",
        "a camera at rest before an unchanging scene",
        "设备静置且场景不变",
    ),
    "timeline.black": _notice(
        "The picture is black",
        "画面全黑",
        "covered lens, darkness",
        "镜头被遮挡，黑暗环境",
    ),
}

_SEQUENCE: Final[Mapping[str, Meaning]] = {
    "sequence.gap": _notice(
        "Between this clip and its neighbour there is time that no clip covers",
        "本片段与相邻片段之间有未被覆盖的时间",
        "the recorder was switched off, or only records on demand",
        "设备关机，或仅按需录制",
    ),
    "sequence.short_gap": _info(
        "Between this clip and its neighbour a short time is missing",
        "本片段与相邻片段之间缺少很短时间",
        "the change from file to file",
        "切换文件所需时间",
    ),
    "sequence.overlap": _notice(
        "This clip and its neighbour claim the same time",
        "本片段与相邻片段时间重叠",
        "files that overlap by design, a clock that was set back",
        "按设计重叠的文件，时钟被回拨",
    ),
    "sequence.clock_back": _notice(
        "The recorder's clock went back while its numbering went on",
        "编号递增而设备时钟倒退",
        "the clock was set, the battery was empty",
        "校时，电池耗尽",
    ),
    "sequence.number_gap": _notice(
        "Between the numbers of neighbouring files some are missing",
        "相邻文件的编号有缺",
        "photographs share the numbering, files were not yet handed in",
        "照片共用编号，部分文件尚未上交",
    ),
    "sequence.rate_outlier": _notice(
        "The clip's bytes per second are far from its neighbours'",
        "本片段码率与相邻片段相差悬殊",
        "another quality setting, a dark or still scene",
        "画质设置不同，画面较暗或静止",
    ),
    "sequence.length_outlier": _info(
        "The clip is shorter than the length at which this recorder begins a new file",
        "本片段短于该设备分段的固定时长",
        "recording was stopped",
        "录制被停止",
    ),
    "sequence.make_outlier": _notice(
        "The clip is coded or packed in another way than its neighbours",
        "本片段的编码或封装方式与相邻片段不同",
        "another mode, a firmware update",
        "模式不同，固件升级",
    ),
}

CODES: Final[Mapping[str, Meaning]] = {**_CONTAINER, **_BITSTREAM, **_TIMELINE, **_SEQUENCE}
