// Files derived from the raw data (decoded pictures, token streams), made once under
// `.cache/data/prepared` and read back as bytes. Written to a temporary name and renamed,
// so that an interrupted run leaves nothing half-written.

import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The bytes of a derived file; `make` is called when it does not exist yet. `name` must change whenever the contents would. */
export function prepared(dataDir: string, name: string, make: () => Uint8Array): Uint8Array {
  const folder = join(dataDir, "prepared");
  const path = join(folder, name);
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true });
    const temporary = `${path}.${process.pid}.part`;
    writeFileSync(temporary, make());
    renameSync(temporary, path);
  }
  const bytes = readFileSync(path);
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
