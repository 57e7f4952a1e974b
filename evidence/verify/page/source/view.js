// What a person sees. Everything comes in as text and goes out as text nodes: names in evidence may be hostile.

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children.filter((child) => child !== null));
  return made;
}

// A sentence in both languages, Chinese first; the style hides the one that is not wanted.
function both(zh, en) {
  const made = document.createDocumentFragment();
  made.append(element("span", { lang: "zh-CN" }, shown(zh)), " ", element("span", { lang: "en" }, shown(en)));
  return made;
}

// Names what an eye cannot see, above all the characters that turn text around.
const shown = (text) => Array.from(text, (char) => (isShown(char) || char === "\u3000" ? char : escaped(char))).join("");

const grouped = (number) => Number(number).toLocaleString("en-US");
const MARKS = { ok: ["✓", "已满足", "met"], warning: ["!", "注意", "note"], error: ["✗", "不符", "failed"] };

function mark(severity) {
  const [glyph, zh, en] = MARKS[severity];
  return element("span", { class: "mark", role: "img", "aria-label": `${zh} ${en}` }, glyph);
}

function foundLine(found) {
  const details = { ...found.details };
  const words = element("div", { class: "words" },
    both(sentence(FINDINGS[found.code].zh, details), sentence(FINDINGS[found.code].en, details)),
    found.subject.startsWith("file:") && found.details.obligation === undefined ? element("div", { class: "mono" }, shown(found.subject.slice(5))) : null);
  return element("div", { class: `found ${found.severity}` }, mark(found.severity), words,
    element("span", { class: "code" }, found.code));
}

function stepsOf(one) {
  const list = element("ol", { class: "steps" });
  for (const [number, [zh, en]] of Object.entries(STEPS)) {
    const findings = element("div", { class: "findings" });
    for (const found of one.findings.filter((other) => other.details.obligation === Number(number))) {
      findings.append(foundLine(found));
      if (found.details.ranges) findings.append(...placeMap(found, one));
    }
    list.append(element("li", {},
      element("span", { class: "number" }, number),
      element("span", { class: "name" }, both(zh, en)),
      findings));
  }
  return list;
}

// The file from its first byte to its last, with the faulty or missing places drawn in, and the places as numbers.
function placeMap({ severity, details: { ranges } }, { sealed, hashes }) {
  const end = Math.max(sizeOf(sealed), hashes.size);
  const strip = element("div", { class: `strip ${severity}`, "aria-hidden": "true" });
  const table = element("table", { class: "places" }, element("tr", {},
    element("th", { scope: "col" }, both("首字节", "first byte")),
    element("th", { scope: "col" }, both("末字节", "last byte")),
    element("th", { scope: "col" }, both("分块", "chunks"))));
  for (const range of ranges) {
    const fault = element("i");
    fault.style.left = `${(range.first_byte / end) * 100}%`;
    fault.style.width = `${((range.last_byte + 1 - range.first_byte) / end) * 100}%`;
    strip.append(fault);
    const chunks = range.first_chunk === range.last_chunk ? range.first_chunk : `${range.first_chunk}–${range.last_chunk}`;
    table.append(element("tr", {}, ...[grouped(range.first_byte), grouped(range.last_byte), String(chunks)]
      .map((text) => element("td", {}, text))));
  }
  const scale = element("div", { class: "scale", "aria-hidden": "true" },
    element("span", {}, "0"), element("span", {}, grouped(end)));
  return [strip, scale, table];
}

function factsOf({ file, sealed, entry, index, checkpoint }) {
  const facts = element("dl", { class: "facts" });
  const fact = (zh, en, value, kind = "") => {
    if (value === null || value === undefined) return;
    facts.append(element("dt", {}, zh === en ? zh : both(zh, en)), element("dd", { class: kind }, shown(String(value))));
  };
  if (sealed) {
    const { payload } = sealed;
    if (sealed.name !== nameOf(file)) fact("原名", "name as it came", sealed.name);
    fact("片段", "clip", sealed.clip, "mono");
    fact("上传", "upload", sealed.upload, "mono");
    fact(sealed.upload ? "已封存的开头" : "大小", sealed.upload ? "sealed beginning" : "size",
      `${grouped(sizeOf(sealed))} bytes`);
    if (sealed.digest) fact("SHA-256", "SHA-256", hex(sealed.digest.sha256), "mono");
    if (sealed.digest?.sm3) fact("SM3", "SM3", hex(sealed.digest.sm3), "mono");
    for (const [field, [zh, en]] of Object.entries(PAYLOAD_FACTS)) {
      if (typeof payload[field] === "string") fact(zh, en, payload[field]);
    }
  }
  if (entry) fact("入账时间", "recorded in the log", entry.at);
  if (checkpoint) {
    fact("账本", "log", checkpoint.origin, "mono");
    if (index !== null) fact("条目", "entry", `${grouped(index)} / ${grouped(checkpoint.size)}`);
    fact("检查点根值", "checkpoint root", hex(checkpoint.root), "mono");
  }
  return facts;
}

function itemCard(one) {
  const folder = folderOf(one.file);
  return element("article", { class: "card" },
    folder ? element("p", { class: "path hint" }, `${shown(folder)}/`) : null,
    element("h2", {}, shown(nameOf(one.file))),
    one.sealed || one.checkpoint
      ? element("p", { class: "states hint" }, both("回执所载：", "As the receipt states it:")) : null,
    factsOf(one),
    stepsOf(one));
}

function verdictBanner(run) {
  const severity = { verified: "ok", trust_owed: "warning", partly: "warning", failed: "error" }[run.verdict];
  const held = run.verifications.filter((one) => one.holds).length, all = run.verifications.length;
  return element("div", { class: `verdict ${severity}` }, mark(severity), element("div", {},
    element("h2", {}, both(...VERDICTS[run.verdict])),
    element("p", {}, both(`${all} 个原始文件中 ${held} 个各项全部相符`, `${held} of ${all} originals meet all obligations`))));
}

function box(zh, en, ...children) {
  return element("section", { class: "box" }, element("h3", {}, both(zh, en)), ...children);
}

function keysBox(run, report) {
  const words = report.log_keys_from === "package"
    ? both("随证据一同提供，尚待与可信渠道取得的密钥逐字核对。", "It came with the evidence: compare it, character by character, with one from a trusted place.")
    : both("由您提供。", "Given by you.");
  return box("所用日志密钥", "Log key that was used",
    ...report.log_keys.map((vkey) => element("p", { class: "vkey" }, shown(vkey))),
    element("p", { class: "hint" }, words));
}

function owedBox(report) {
  const list = element("ul", { class: "owed" });
  for (const { code, zh, en } of report.owed) {
    const tick = element("input", { type: "checkbox", id: code });
    list.append(element("li", {}, tick, element("label", { for: code }, both(zh, en))));
  }
  return box("仍须由您核对", "Still yours to check", list);
}

function showRun(run, report, place) {
  const time = new Date();
  const remarks = run.remarks.length
    ? [box("关于整个文件夹", "About the folder as a whole", ...run.remarks.map(foundLine))] : [];
  const record = element("p", { class: "record" },
    both(`验证时间 ${time.toISOString()}（本机时钟）`, `Verified at ${time.toISOString()} by this computer's clock`));
  const signing = element("div", { class: "signing", "aria-hidden": "true" },
    element("p", {}, both("核验人", "Verified by")), element("p", {}, both("日期", "Date")));
  place.replaceChildren(verdictBanner(run), ...run.verifications.map(itemCard), ...remarks, keysBox(run, report),
    owedBox(report), actions(report, time), record, signing);
}

function actions(report, time) {
  const print = element("button", { type: "button" }, both("打印", "Print"));
  print.addEventListener("click", () => window.print());
  const save = element("button", { type: "button", class: "quiet" }, both("保存结果", "Save the result (JSON)"));
  save.addEventListener("click", () => {
    const url = URL.createObjectURL(new Blob([JSON.stringify(report, null, 2)], { type: "application/json" }));
    const stamp = time.toISOString().slice(0, 19).replaceAll(":", "");
    element("a", { href: url, download: `shilu-verification-${stamp}Z.json` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  });
  return element("p", { class: "actions" }, print, save);
}

function showStop(code, place) {
  place.replaceChildren(element("div", { class: "verdict error" }, mark("error"), element("div", {},
    element("h2", {}, both(...STOPS[code])), element("span", { class: "code mono" }, code))));
}
