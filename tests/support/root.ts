// The project's root folder, seen from the compiled tests.

import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Absolute path of the checkout. */
export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..");
