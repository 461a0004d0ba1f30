// What went wrong, in words.

import { InputError, UnavailableError } from "../../../src/browser.js";

/** Faults of the program keep their own words. */
export function messageOf(error: unknown): string {
  if (error instanceof InputError || error instanceof UnavailableError) return error.message.replace(/\.*$/, ".");
  const { name, message } = error as Error;
  switch (name) {
    case "RangeError":
      return `There is not enough memory for this (${message}). Use a smaller model.`;
    // Of the browser's File API: a folder that was taken for a file, or one that was moved or changed since it was chosen.
    case "NotFoundError":
    case "NotReadableError":
      return "What was given cannot be read: it is a folder, or was moved or changed since. Choose the files in it anew.";
    default:
      return `${name}: ${message}`;
  }
}
