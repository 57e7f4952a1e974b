// What somebody types and has not sent: kept on this computer until it is on record, so that neither a reload nor a lost
// session loses it. A draft is its writer's: on a computer that several people use nobody finds, or signs, another's words.

import { html, useEffect, useState } from "./vendor/preact-htm.js";

export const draftKey = (about, staff) => `shilu.draft.${staff}.${about}`;

export function readDraft(key) {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null;
  }
}

// Content of a form that outlives its page. `forget` is for what is on record now.
export function useDraft(about, staff, empty) {
  const key = draftKey(about, staff);
  const [content, setContent] = useState(() => ({ ...empty, ...readDraft(key) }));
  const [changed, setChanged] = useState(() => readDraft(key) !== null);
  useEffect(() => {
    if (changed) localStorage.setItem(key, JSON.stringify(content));
    else localStorage.removeItem(key);
  }, [content, changed]);
  return {
    content,
    changed,
    put: (part) => {
      setContent((before) => ({ ...before, ...part }));
      setChanged(true);
    },
    forget: () => {
      // At once: whoever goes to another page now is gone before an effect runs.
      localStorage.removeItem(key);
      setContent({ ...empty });
      setChanged(false);
    },
  };
}

// A form that is folded away until it is wanted, and open where somebody left words in it.
export function Folded({ title, about, me, children }) {
  const [open] = useState(() => readDraft(draftKey(about, me.staff)) !== null);
  return html`<details open=${open}><summary>${title}</summary>${children}</details>`;
}
