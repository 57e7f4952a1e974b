"""Codes about the structure of a file; see `codes`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ingest.media.continuity.meaning import Meaning, high, info, notice

CONTAINER: Final[Mapping[str, Meaning]] = {
    "container.not_walked": info(
        "The container is of a kind whose structure is not walked here",
        "此类容器的结构未逐项检查",
        "bare streams, sound files and photographs have little structure",
        "裸码流、音频与照片文件本身结构很少",
    ),
    "container.limit": info(
        "The walk stopped at a limit; the rest of the structure was not looked at",
        "检查达到上限而止，其余结构未查看",
        "very long recordings, or a file made to be expensive",
        "录像极长，或文件被构造得极其耗时",
    ),
    "container.software": info(
        "The file names the software that wrote it",
        "文件写明了写入它的软件",
        "many recorders use common libraries and say so",
        "许多设备内置通用软件库并写明名称",
    ),
    "container.software_on_device": notice(
        "The file names a maker or model and also a general-purpose program that wrote it",
        "文件同时写有设备厂商或型号和通用软件的名称",
        "export by the maker's own application, firmware built on a common library",
        "由厂商软件导出，或设备固件使用通用软件库",
    ),
    "container.index_first": info(
        "The index stands before the media",
        "索引位于媒体数据之前",
        "recorders that reserve room for it; exports for the web",
        "设备预留了索引空间；为网络播放导出",
    ),
    "container.part_unknown": info(
        "There is an outermost part of a kind that is not known here",
        "最外层有此处未知类型的部分",
        "makers keep positions and device data in parts of their own",
        "厂商用自有部分保存定位与设备数据",
    ),
    "container.start_unusual": notice(
        "The file does not begin with the part that its kind begins with",
        "文件不以该类型应有的部分开头",
        "old or simple recorders",
        "较旧或简单的设备",
    ),
    "container.malformed": notice(
        "A part contradicts the length or form it states",
        "某一部分与其自述的长度或格式不符",
        "careless firmware, a bad sector, a recording that broke off",
        "固件不严谨、坏扇区、录制中断",
    ),
    "container.truncated": high(
        "The file ends before its last part does",
        "文件在最后一部分结束之前就结束了",
        "power loss or a pulled card while recording, an incomplete copy",
        "录制时断电或拔卡，拷贝不完整",
    ),
    "container.index_missing": high(
        "There is media but no index",
        "有媒体数据而没有索引",
        "power loss before the recorder wrote its index",
        "设备写入索引之前断电",
    ),
    "container.index_repeated": high(
        "There is more than one index",
        "存在不止一个索引",
        "a recorder that repaired an interrupted recording",
        "设备修复过中断的录像",
    ),
    "container.trailing_bytes": high(
        "Bytes follow that belong to no part of the file",
        "文件末尾之后有不属于任何部分的字节",
        "makers' trailers with positions or thumbnails, a copying tool",
        "厂商附加的定位或缩略图数据，拷贝工具所致",
    ),
    "container.trailing_zeros": info(
        "Zero bytes follow behind the last part",
        "最后一部分之后有全零字节",
        "room reserved by the recorder, cluster padding",
        "设备预留的空间，簇填充",
    ),
    "container.padding_filled": notice(
        "Free space inside the file is not empty",
        "文件内的空闲空间并非为空",
        "the remains of an earlier index, makers' data",
        "旧索引的残留，厂商数据",
    ),
    "container.unreferenced_bytes": notice(
        "Media data hold bytes that no track refers to",
        "媒体数据中有任何轨道都未引用的字节",
        "pictures dropped by the recorder, data of makers, alignment",
        "设备丢弃的画面、厂商数据、对齐",
    ),
    "container.samples_outside": high(
        "The index points outside the media data",
        "索引指向媒体数据之外",
        "an incomplete copy, a wrongly written index",
        "拷贝不完整，索引写入有误",
    ),
    "container.samples_overlap": high(
        "Two pieces of the index share the same bytes",
        "索引中的两段共用同一些字节",
        "a muxer that stores equal data once",
        "封装软件对相同数据只存一份",
    ),
    "container.sample_entries": high(
        "A track changes to another description of its coding",
        "轨道中途换用另一份编码说明",
        "a camera that changes resolution or exposure mode while recording",
        "设备录制中切换分辨率或模式",
    ),
    "container.index_disagrees": high(
        "Index and media contradict each other",
        "索引与媒体数据互相矛盾",
        "power loss while the index was written, a repair tool",
        "写索引时断电，修复工具所致",
    ),
    "container.times_disagree": high(
        "The file states several times of creation that cannot all be true",
        "文件写有互相矛盾的多个创建时间",
        "the clock was set while recording; exports that renew only some of the times",
        "录制过程中校时；导出时只更新了部分时间",
    ),
    "container.modified_later": notice(
        "The file states that it was changed after it was recorded",
        "文件自述在录制之后被修改过",
        "the recorder's own tidying, import by a phone or a computer",
        "设备自身整理，手机或电脑导入",
    ),
    "container.lengths_disagree": notice(
        "The lengths stated for the film, its tracks and their media disagree",
        "影片、轨道与媒体自述的时长不一致",
        "careless firmware, an edit list",
        "固件不严谨，编辑列表",
    ),
    "container.edit_hides": notice(
        "An edit list hides recorded media from the viewer",
        "编辑列表使部分已录媒体不被播放",
        "trimming in the phone's own gallery, start-up pictures of the encoder",
        "在手机相册内裁剪，编码器起始画面",
    ),
    "container.edit_several": notice(
        "A track is put together from several stretches of its media",
        "轨道由其媒体的多段拼成",
        "slow motion or trimming on the device",
        "设备上的慢动作或裁剪功能",
    ),
    "container.fragment_gap": high(
        "Fragments of the film do not follow one another",
        "影片分片不相衔接",
        "a stream that lost a part on the network",
        "网络传输中丢失了一段",
    ),
    "container.packets_lost": high(
        "The transport stream's counters skip or repeat",
        "传输流计数器跳跃或重复",
        "loss on the radio link or the network; segments put one behind the other",
        "无线或网络丢包；分段首尾相接",
    ),
    "container.clock_jump": high(
        "The transport stream's clock jumps without saying so",
        "传输流时钟跳变而未声明",
        "segments put one behind the other, an encoder that restarted",
        "分段首尾相接，编码器重启",
    ),
    "container.sync_lost": notice(
        "The transport stream loses its rhythm of packets",
        "传输流失去包同步",
        "a bad sector, an interrupted transfer",
        "坏扇区，传输中断",
    ),
}
