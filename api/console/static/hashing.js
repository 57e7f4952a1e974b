// Digests in a worker: whatever is hashed, the page stays alive, and whoever waits may give up.

/* global unreadable */
import { scriptAddress } from "./scripts.js";

// Both digests and the leaves of a file, or of what lies at an address: `{ file }` or `{ url, size }`. `told` hears the
// bytes done and in all. Rejects with what the judge (loaded before) calls unreadable, or, given up, as fetches do.
export function hashed(what, told, signal) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return void reject(signal.reason);
    const worker = new Worker(scriptAddress("hasher.js"), { type: "module" });
    const finish = (settle, value) => {
      worker.terminate();
      signal?.removeEventListener("abort", giveUp);
      settle(value);
    };
    const giveUp = () => finish(reject, signal.reason);
    signal?.addEventListener("abort", giveUp);
    worker.onerror = (event) => finish(reject, new Error(event.message ?? "hasher.js"));
    worker.onmessage = ({ data }) => {
      if (data.ready) worker.postMessage(what);
      else if (data.hashes) finish(resolve, data.hashes);
      else if (data.unreadable) finish(reject, unreadable(data.unreadable));
      else told(data.done, data.total);
    };
  });
}
