// Folders for results, on every file system of the machine.

import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";

/** Makes missing folders one by one: Node's own recursive mkdir never ends below /proc. */
export async function makeFolder(folder: string): Promise<void> {
  const isThere = () =>
    stat(folder).then(
      (found) => found.isDirectory(),
      () => false,
    );
  if (await isThere()) return;
  await makeFolder(dirname(folder));
  await mkdir(folder).catch(async (error: unknown) => {
    // Another process may have been faster.
    if (!(await isThere())) throw error;
  });
}
