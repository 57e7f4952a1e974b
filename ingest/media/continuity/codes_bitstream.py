"""Codes about coded pictures and coded sound; see `codes`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ingest.media.continuity.meaning import Meaning, high, info, notice

BITSTREAM: Final[Mapping[str, Meaning]] = {
    "bitstream.unread": info(
        "Some pictures' headers could not be read here; nothing is said about them",
        "部分画面的头信息无法在此解读，对其不作判断",
        "features that this reader does not know",
        "使用了此解析器不支持的特性",
    ),
    "bitstream.encoder": info(
        "The pictures name the program that coded them",
        "画面数据写明了编码软件",
        "recorders and exports that use common encoders",
        "设备或导出使用通用编码器",
    ),
    "bitstream.encoder_restarted": high(
        "An encoder's opening words come again in the middle",
        "编码器的起始信息在中途再次出现",
        "a recorder that restarted its encoder and went on in the same file",
        "设备重启编码器后继续写同一文件",
    ),
    "bitstream.sound_restarted": high(
        "The sound encoder's opening words come again in the middle",
        "音频编码器的起始信息在中途再次出现",
        "a recorder that restarted its encoder and went on in the same file",
        "设备重启编码器后继续写同一文件",
    ),
    "bitstream.signed": info(
        "The camera signed its pictures inside the stream; the signature is not judged here",
        "摄像机在码流中写入了签名，此处不作验证",
        "cameras with signed media (Axis, ONVIF)",
        "支持媒体签名的摄像机（Axis、ONVIF）",
    ),
    "bitstream.parameters_changed": high(
        "The coding parameters change in the middle",
        "编码参数在中途改变",
        "a camera that changes resolution or quality mode while recording",
        "设备录制中切换分辨率或画质",
    ),
    "bitstream.picture_parameters": notice(
        "Parameters of single pictures change in the middle",
        "画面级编码参数在中途改变",
        "encoders that tune them as they go",
        "编码器动态调整",
    ),
    "bitstream.starts_inside": notice(
        "The first picture is not one that a recording begins with",
        "首个画面不是录像正常的起始画面",
        "a recorder with pre-recording, a recording of a running stream, trimming",
        "设备预录功能，录制进行中的码流，裁剪",
    ),
    "bitstream.start_missing": high(
        "The first picture is built on pictures that are not in the file",
        "首个画面依赖文件中不存在的画面",
        "a recording taken from a running stream, loss at its beginning",
        "从进行中的码流截取，开头丢失",
    ),
    "bitstream.frame_gap": high(
        "The count of reference pictures skips: pictures are missing",
        "参考画面编号跳跃：缺少画面",
        "a recorder that lost pictures under load, loss in transmission",
        "设备过载丢帧，传输丢失",
    ),
    "bitstream.frame_gap_allowed": info(
        "The count of reference pictures skips in a stream that announces such gaps",
        "参考画面编号跳跃，但码流声明允许",
        "temporal layers left out by design",
        "按设计省略时间层",
    ),
    "bitstream.frame_repeated": high(
        "The count of reference pictures does not go on where it must",
        "参考画面编号应递增而未递增",
        "an encoder that counts wrongly",
        "编码器计数有误",
    ),
    "bitstream.order_gap": high(
        "A place in the order of pictures is empty: a picture is missing",
        "画面显示顺序有空位：缺少画面",
        "a recorder that lost pictures under load",
        "设备过载丢帧",
    ),
    "bitstream.order_gap_habit": info(
        "The order of pictures has empty places throughout",
        "画面显示顺序处处有空位",
        "an encoder that skips pictures or counts by time",
        "编码器跳帧或按时间编号",
    ),
    "bitstream.reference_missing": high(
        "A picture is built on one that is not there",
        "画面所依赖的参考画面不存在",
        "loss in transmission, a recorder that lost pictures",
        "传输丢失，设备丢帧",
    ),
    "bitstream.cadence": notice(
        "The distance between full pictures breaks its rule",
        "完整画面的间隔偏离其规律",
        "a full picture on demand, a change of scene",
        "按需插入完整画面，场景变化",
    ),
    "bitstream.idr_number": notice(
        "The numbering of full pictures breaks its rule",
        "完整画面的编号偏离其规律",
        "an encoder that restarted, or numbers at will",
        "编码器重启或编号随意",
    ),
}
