// The worker that computes digests, by the very code of verify.html; what lies at an address it fetches itself, in ranges.

import { serveHashing } from "./hashing_engine.js";
import { remote } from "./remote.js";

serveHashing(({ file, url, size }) => file ?? remote(url, size));
