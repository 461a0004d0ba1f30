// Bad input must end in a typed error that names the source, the field and a remedy: this asserts it.

import * as assert from "uvu/assert";
import { InputError } from "../../src/core/errors.js";

/** Runs an action that must throw an InputError whose message matches all patterns. */
export async function refuses(action: () => unknown, ...patterns: readonly RegExp[]): Promise<void> {
  try {
    await action();
  } catch (error) {
    assert.instance(error, InputError, `${(error as Error).stack}`);
    const { message, source, remedy } = error as InputError;
    for (const pattern of patterns) assert.match(message, pattern);
    assert.ok(source.length > 0 && remedy.length > 0);
    return;
  }
  assert.unreachable(`nothing was refused, ${patterns.map(String).join(" and ")} was expected`);
}
