// What needs a person, out of everything that the page of operations knows: errors first. Pure.

import { bytesText, shownText } from "./parts.js";
import { known, t } from "./words.js";

// Named one by one further down, or told of by another line.
const TOLD_ELSEWHERE = new Set(["docks", "findings"]);

export function needs({ docks, house, recorders, officers, noticed, overdue, clips, due }) {
  const found = [];
  const add = (kind, key, text, href) => found.push({ kind, key, text, href });
  for (const dock of docks?.data?.items ?? []) {
    const name = shownText(dock.name);
    if (dock.state === "silent") add("error", `silent-${dock.dock}`, t("need.silent", { name }), "#docks");
    if (dock.state !== "heard") continue;
    for (const slot of dock.said?.slots ?? []) {
      if (slot.phase === "trouble") add("error", `slot-${dock.dock}-${slot.name}`, t("need.slot", { name, slot: shownText(slot.name) }), "#docks");
    }
  }
  if (house?.data) ofHouse(house.data, add);
  const unheld = recorders?.data?.items.filter((one) => !one.holder).length ?? 0;
  if (unheld) add("notice", "unheld", t("need.unheld", { count: unheld }), "#recorders");
  const expired = recorders?.data?.items.filter((one) => isExpired(one.holder, officers?.data)).length ?? 0;
  if (expired) add("notice", "expired", t("need.expired", { count: expired }), "#recorders");
  const late = overdue?.data?.items.length ?? 0;
  if (late) add("error", "late", t("need.late", { count: counted(overdue.data, late) }), "#late");
  const leads = noticed?.data?.items.filter(isOpen) ?? [];
  const high = leads.filter((one) => one.weight === "high").length;
  if (high) add("notice", "leads", t("need.leads", { count: high }), "#findings");
  const open = clips?.data?.items.length ?? 0;
  if (open) add("notice", "clips", t("need.clips", { count: counted(clips.data, open) }), "#findings");
  const over = due?.data?.items.length ?? 0;
  if (over) add("notice", "due", t("need.due", { count: counted(due.data, over) }), "#retention");
  return found.sort((one, other) => (one.kind !== "error") - (other.kind !== "error"));
}

function ofHouse(house, add) {
  for (const check of house.checks) {
    if (check.ok || TOLD_ELSEWHERE.has(check.name)) continue;
    add(check.required ? "error" : "notice", `check-${check.name}`, t("need.check", { name: known("check", check.name), detail: check.detail }), "#ledger");
  }
  for (const one of house.audit?.findings ?? []) {
    add(one.severity === "error" ? "error" : "notice", one.code, t("need.audit", { count: one.count, code: one.code }), "#findings");
  }
  for (const one of house.jobs) {
    if (one.failed_recently) add("notice", `jobs-${one.kind}`, t("need.jobs", { kind: t(`job.${one.kind}`), count: one.failed_recently }), "#jobs");
  }
  if (house.outbox.dead) add("notice", "dead", t("need.dead", { count: house.outbox.dead }), "#jobs");
  if (house.outbox.failing) add("notice", "failing", t("need.failing", { count: house.outbox.failing }), "#jobs");
  const { free, reserve, total } = house.storage;
  if (free >= reserve && free < total / 10) add("notice", "space", t("need.space", { free: bytesText(free) }), "#storage");
}

const counted = (page, count) => (page.next ? `${count}+` : String(count));

export const isOpen = (one) => !one.settled && !one.explanations.length;

// Of whose recorder the holder's certificate is over; the registers say until when it is valid.
export function isExpired(holder, officers) {
  const until = officers?.items.find((one) => one.officer === holder?.officer)?.valid_until;
  return Boolean(until) && until < new Date().toISOString().slice(0, 10);
}
