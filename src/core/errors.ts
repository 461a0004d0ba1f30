// The typed errors of the whole program. Each names the input, the field and what to do next;
// `cli` turns them into one line and an exit code (2 bad input, 3 nothing available to run).

/** Input that cannot be used: a flag, a file, a scenario key. Exit code 2. */
export class InputError extends Error {
  override readonly name = "InputError";
  /**
   * @param source file, flag or scenario that is wrong, as the user wrote it
   * @param field the field inside it ("" when the whole thing is meant)
   * @param problem what is wrong with it
   * @param remedy what the user can do next
   */
  constructor(
    readonly source: string,
    readonly field: string,
    readonly problem: string,
    readonly remedy: string,
  ) {
    super(`${source}${field ? `: ${field}` : ""}: ${problem}. ${remedy}`);
  }
}

/** Something this machine or build does not have. Exit code 3 when nothing else can run. */
export class UnavailableError extends Error {
  override readonly name = "UnavailableError";
  constructor(
    readonly what: string,
    readonly reason: string,
    readonly remedy: string,
  ) {
    super(`${what} is unavailable: ${reason}. ${remedy}`);
  }
}
