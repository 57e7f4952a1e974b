// Ties the page's controls to a run. `window.shiluReport` is the report of the last run, null while one is under way.

const byId = (id) => document.getElementById(id);
let chosen = null;
let runNumber = 0;
window.shiluReport = null;

async function run() {
  const mine = ++runNumber;
  const result = byId("result"), working = byId("working");
  window.shiluReport = null;
  result.hidden = true;
  working.hidden = false;
  try {
    const begun = performance.now();
    const progress = (...where) => { if (mine === runNumber) showProgress(begun, ...where); };
    const made = await verifySelection(chosen, byId("key").value, byId("roots").files[0], progress);
    if (mine !== runNumber) return; // something else was chosen meanwhile
    const report = reportJson(made);
    showRun(made, report, result);
    window.shiluReport = report;
  } catch (error) {
    if (mine !== runNumber) return;
    // Whatever went wrong, the page must not be left looking as if nothing had.
    const code = error instanceof NothingToVerify ? error.code : "page.failed";
    showStop(code, result);
    if (code === "page.failed") result.append(element("p", { class: "mono" }, shown(String(error))));
    window.shiluReport = { stopped: code };
  }
  working.hidden = true;
  result.hidden = false;
  byId("again").hidden = false;
  result.focus({ preventScroll: true });
  result.scrollIntoView({ block: "start" });
}

function showProgress(begun, item, number, count, done, total) {
  byId("working-name").textContent = shown(item.name) + (count > 1 ? ` (${number + 1}/${count})` : "");
  byId("bar").value = total ? done / total : 1;
  const rate = done / 1048576 / Math.max(0.001, (performance.now() - begun) / 1000);
  byId("working-rate").textContent =
    `${Math.floor((done * 100) / total)} % · ${grouped(done)} / ${grouped(total)} bytes · ${count > 1 ? "" : `${rate.toFixed(0)} MiB/s`}`;
}

function choose(selection) {
  if (!selection.length) return;
  chosen = selection;
  void run();
}

for (const id of ["folder", "files"]) {
  byId(id).addEventListener("change", ({ target }) => {
    choose(Array.from(target.files, (file) => ({ path: file.webkitRelativePath || file.name, file })));
    target.value = ""; // the same folder may be chosen again
  });
}

byId("again").addEventListener("click", () => choose(chosen));

// A dropped folder comes as a tree of entries; readEntries hands them out in portions until there are none.
async function dropped(entries) {
  const found = [];
  for (const entry of entries) {
    if (entry.isFile) {
      const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
      found.push({ path: entry.fullPath.slice(1), file });
      continue;
    }
    const reader = entry.createReader();
    for (;;) {
      const portion = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (!portion.length) break;
      found.push(...await dropped(portion));
    }
  }
  return found;
}

const drop = byId("drop");
for (const type of ["dragover", "drop"]) {
  // A file dropped beside the field would otherwise replace the page.
  window.addEventListener(type, (event) => event.preventDefault());
}
for (const [type, over] of [["dragenter", true], ["dragover", true], ["dragleave", false], ["drop", false]]) {
  drop.addEventListener(type, () => drop.classList.toggle("over", over));
}
// Chromium hands a page of a local disk no entries to read, but handles; others have no handles, but entries.
async function droppedHandles(handles, folder = "") {
  const found = [];
  for await (const handle of handles) {
    const path = within(folder, handle.name);
    if (handle.kind === "file") found.push({ path, file: await handle.getFile() });
    else found.push(...await droppedHandles(handle.values(), path));
  }
  return found;
}

window.addEventListener("drop", async ({ dataTransfer }) => {
  // All of these are gone once this handler has waited for anything.
  const items = Array.from(dataTransfer.items).filter((item) => item.kind === "file");
  const files = Array.from(dataTransfer.files, (file) => ({ path: file.name, file }));
  const entries = items.map((item) => item.webkitGetAsEntry()).filter((entry) => entry);
  if (!entries.some((entry) => entry.isDirectory)) {
    choose(files);
    return;
  }
  const handles = Promise.all(items.map((item) => item.getAsFileSystemHandle?.()));
  try {
    choose(await handles.then(droppedHandles).catch(() => dropped(entries)));
  } catch {
    showStop("page.drop", byId("result"));
    byId("result").hidden = false;
  }
});

for (const input of document.querySelectorAll("input[name=language]")) {
  input.addEventListener("change", () => setLanguage(input.value));
}

function setLanguage(language) {
  document.documentElement.dataset.lang = language;
  document.documentElement.lang = language === "en" ? "en" : "zh-CN";
}

// What this browser lacks is said before anything is chosen.
async function checkBrowser() {
  const lacking = [];
  if (!window.isSecureContext || !crypto.subtle) lacking.push("page.no_crypto");
  else if (!(await hasEd25519())) lacking.push("page.no_ed25519");
  if (hex(sha256(utf8("abc"))) !== SHA256_OF_ABC) lacking.push("page.failed");
  for (const code of lacking) byId("notices").append(element("p", { class: "notice error" }, both(...STOPS[code])));
}

const SHA256_OF_ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; // FIPS 180-4
void checkBrowser();
