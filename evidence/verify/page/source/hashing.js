// Both digests of a file in one read and in constant memory: the browser's own SHA-256 for each chunk, on its own
// threads, and the streaming one for the whole. Runs in a worker; the page falls back to itself where it gets none.

const CHUNK_BYTES = 1048576;
const READ_BYTES = 4 * CHUNK_BYTES;

class FileUnreadable extends Error {
  constructor(offset, cause) {
    super(cause.message || cause.name);
    this.offset = offset;
    this.missing = cause.name === "NotFoundError";
  }
}

async function hashFile(file, progress) {
  const whole = new Sha256();
  const leaves = [];
  let next = readSlice(file, 0);
  for (let offset = 0; offset < file.size; offset += READ_BYTES) {
    const block = await next;
    // The next piece is read while this one is hashed.
    if (offset + READ_BYTES < file.size) next = readSlice(file, offset + READ_BYTES);
    next.catch(() => undefined); // told when it is awaited
    const digests = chunkDigests(block);
    whole.update(block);
    for (const digest of await Promise.all(digests)) leaves.push(new Uint8Array(digest));
    progress(Math.min(offset + READ_BYTES, file.size), file.size);
  }
  return { size: whole.bytes, sha256: whole.digest(), leaves };
}

async function readSlice(file, offset) {
  const wanted = Math.min(READ_BYTES, file.size - offset);
  try {
    const bytes = new Uint8Array(await file.slice(offset, offset + READ_BYTES).arrayBuffer());
    if (bytes.length !== wanted) throw new Error("the file changed while it was read");
    return bytes;
  } catch (error) {
    throw new FileUnreadable(offset, error);
  }
}

function chunkDigests(block) {
  const digests = [];
  for (let start = 0; start < block.length; start += CHUNK_BYTES) {
    const chunk = block.subarray(start, start + CHUNK_BYTES);
    const leaf = new Uint8Array(chunk.length + 1); // 0x00 makes it a leaf (RFC 6962)
    leaf.set(chunk, 1);
    digests.push(crypto.subtle.digest("SHA-256", leaf));
  }
  return digests;
}

// `fileOf` makes a file, or what is read like one, of what the page sends.
function serveHashing(fileOf = (file) => file) {
  self.onmessage = async ({ data }) => {
    try {
      const hashes = await hashFile(fileOf(data), (done, total) => self.postMessage({ done, total }));
      self.postMessage({ hashes });
    } catch (error) {
      if (!(error instanceof FileUnreadable)) throw error;
      self.postMessage({ unreadable: { offset: error.offset, reason: error.message, missing: error.missing } });
    }
  };
  self.postMessage({ ready: true });
}
