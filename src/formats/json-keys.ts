// Finds a key that stands twice in a JSON object: JSON.parse keeps the last one without a word, which lets a file mean
// different things to different readers.

/** The first key of the outermost object that stands twice, or null. `text` must be valid JSON. */
export function duplicateKey(text: string): string | null {
  const seen = new Set<string>();
  // A string, or a bracket, or a colon; everything else between them does not matter here.
  const token = /"(?:[^"\\]|\\.)*"|[{}[\]:]/g;
  let depth = 0;
  let last = "";
  for (const [mark] of text.matchAll(token)) {
    if (mark === "{" || mark === "[") depth++;
    else if (mark === "}" || mark === "]") depth--;
    else if (mark === ":" && depth === 1) {
      const key = JSON.parse(last) as string;
      if (seen.has(key)) return key;
      seen.add(key);
    } else last = mark;
  }
  return null;
}
