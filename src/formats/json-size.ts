// How much memory a JSON text needs once it is parsed: a few bytes of brackets can ask for a hundred times their size.

import { InputError } from "../core/errors.js";

/** Bytes of an empty array or object and of a value in one, as V8 has them. */
const CONTAINER_BYTES = 56;
const VALUE_BYTES = 16;
const SPARE_BYTES = 1 << 20;

/**
 * JSON.parse for texts that are mostly structure by malice only: headers and configs, no vocabularies.
 * @param fileBytes size of the file that the text is in; throws InputError where its values would need more than twice that
 * and 1 MiB. Throws SyntaxError for what is no JSON.
 */
export function parseSmall(text: string, file: string, fileBytes: number): unknown {
  const most = 2 * fileBytes + SPARE_BYTES;
  if (text.length > most / CONTAINER_BYTES) {
    let needed = text.length;
    for (let i = 0; i < text.length; i++) {
      const mark = text.charCodeAt(i);
      if (mark === 0x5b || mark === 0x7b) needed += CONTAINER_BYTES;
      else if (mark === 0x2c) needed += VALUE_BYTES;
    }
    if (needed > most) {
      const problem = `its JSON needs some ${needed} bytes of memory, the file has ${fileBytes}`;
      throw new InputError(file, "", problem, "Get the file again from where it came from");
    }
  }
  return JSON.parse(text);
}
