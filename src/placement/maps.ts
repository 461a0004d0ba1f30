// /proc/PID/maps and /proc/PID/smaps as regions.

import type { Region } from "../core/regions.js";

const HEAD = /^([0-9a-f]+)-([0-9a-f]+) ([r-])([w-])([x-])([ps]) [0-9a-f]+ [0-9a-f]+:[0-9a-f]+ (\d+)\s*(.*)$/;

function kindOf(name: string, inode: string): Region["kind"] {
  if (name === "[heap]") return "heap";
  if (name.startsWith("[stack")) return "stack";
  if (name === "" || name.startsWith("[anon")) return "anon";
  if (name.startsWith("[")) return "kernel";
  return inode === "0" ? "anon" : "file";
}

/** Parses either file; mappings that nothing may touch (`---p`) are left out. */
export function parseMaps(text: string): Region[] {
  const regions: Region[] = [];
  let open = false;
  for (const line of text.split("\n")) {
    const head = HEAD.exec(line);
    if (head) {
      const [, start, end, read, write, , , inode, name = ""] = head;
      open = read === "r" || write === "w";
      if (!open) continue;
      const startAddress = Number.parseInt(start as string, 16);
      const sizeBytes = Number.parseInt(end as string, 16) - startAddress;
      const kind = kindOf(name, inode as string);
      regions.push({ startAddress, sizeBytes, residentBytes: sizeBytes, name, kind, writable: write === "w" });
      continue;
    }
    const resident = open ? /^Rss:\s+(\d+) kB/.exec(line) : null;
    const last = regions.at(-1);
    if (resident && last) regions[regions.length - 1] = { ...last, residentBytes: Number(resident[1]) * 1024 };
  }
  return regions.filter(({ kind }) => kind !== "kernel");
}
