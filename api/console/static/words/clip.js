// Words of the clip page beyond the first: proposals of a machine, captions, damage on the timeline.

const ZH = {
  "proposals.title": "机器听写（待确认）",
  "proposals.about": "机器所听，未经人确认。接受即表示本人已听并负责；可先改正文字。已有的话不会被改写。",
  "proposals.read": "记录并读取听写",
  "proposals.pick": "选择 {at} 的话",
  "proposals.taken": "已接受",
  "proposals.sure": "把握 {percent}%",
  "proposals.accept": "接受所选 {count} 句",
  "proposals.accepted": "已接受，成为标注的新版本。",
  "proposals.keys": "在文字中按回车：改正并接受这一句",
  "player.captions": "字幕",
  "timeline.damage": "此处与账本不符",
  "neighbours.title": "同一记录仪当日的前后录像",
  "neighbours.before": "上一段",
  "neighbours.after": "下一段",
  "neighbours.gap": "间隔 {length}",
  "neighbours.overlap": "重叠 {length}",
};

const EN = {
  "proposals.title": "Heard by a machine (to be confirmed)",
  "proposals.about": "A machine heard this and nobody confirmed it. Whoever accepts has listened and stands for it; correct the words first where they are wrong. What is there already is never overwritten.",
  "proposals.read": "Record and read what was heard",
  "proposals.pick": "Choose what was said at {at}",
  "proposals.taken": "accepted",
  "proposals.sure": "{percent}% sure",
  "proposals.accept": "Accept the {count} chosen",
  "proposals.accepted": "Accepted: the annotation has a new version.",
  "proposals.keys": "Enter in a text corrects and accepts that one",
  "player.captions": "Captions",
  "timeline.damage": "Differs from the ledger here",
  "neighbours.title": "What the same recorder recorded before and after on that day",
  "neighbours.before": "Before",
  "neighbours.after": "After",
  "neighbours.gap": "gap {length}",
  "neighbours.overlap": "overlap {length}",
};

export const WORDS = { ZH, EN };
