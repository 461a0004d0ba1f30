// What a test needs beyond the repository: present, or skipped with a printed reason. Under CI=true absence fails.

/**
 * True when `present`. Otherwise prints `skipped: ...` (the test runner shows it) and returns false,
 * or throws when CI=true, where nothing may be missing.
 */
export function need(present: boolean, what: string, remedy: string): boolean {
  if (present) return true;
  if (process.env.CI === "true") throw new Error(`${what} is missing under CI. ${remedy}`);
  console.log(`skipped: ${what} is missing. ${remedy}`);
  return false;
}
