// What is dropped on the page: pictures and models, as files or as the folder they lie in.

import type { GivenFile } from "../protocol.js";

/** A model's folder has some dozens; a whole disk is not listed. */
const MOST_FILES = 2000;

export interface DropTargets {
  picture(file: File): void;
  model(files: readonly GivenFile[]): void;
  tell(message: string): void;
}

const fileOf = (entry: FileSystemFileEntry) => new Promise<File>((done, fail) => entry.file(done, fail));

/** The files of a folder, not of those below it; browsers give some hundred at a time. */
async function filesIn(folder: FileSystemDirectoryEntry): Promise<GivenFile[]> {
  const reader = folder.createReader();
  const next = () => new Promise<FileSystemEntry[]>((done, fail) => reader.readEntries(done, fail));
  const files: GivenFile[] = [];
  for (let some = await next(); some.length > 0 && files.length < MOST_FILES; some = await next()) {
    const plain = some.filter((entry): entry is FileSystemFileEntry => entry.isFile && !entry.name.startsWith("."));
    files.push(
      ...(await Promise.all(plain.map(fileOf))).map((file) => ({ name: `${folder.name}/${file.name}`, file })),
    );
  }
  return files;
}

/** Pictures by what the browser takes them for; all else is taken for a model. */
async function take({ items, files }: DataTransfer, targets: DropTargets): Promise<void> {
  // Entries are there during the event only, before anything is awaited.
  const folders = [...items]
    .map((item) => item.webkitGetAsEntry())
    .filter((entry): entry is FileSystemDirectoryEntry => entry?.isDirectory ?? false);
  const names = new Set(folders.map(({ name }) => name));
  const plain = [...files].filter(({ name }) => !names.has(name));
  const [first] = plain;
  if (first?.type.startsWith("image/")) return targets.picture(first);
  const below = (await Promise.all(folders.map(filesIn))).flat();
  const given = [...plain.map((file) => ({ name: file.name, file })), ...below];
  if (given.length > 0) targets.model(given);
  else if (folders[0]) targets.tell(`The folder ${folders[0].name} has no files in it; drop the folder of a model.`);
}

/** Takes drops anywhere on the page. */
export function openDrops(targets: DropTargets): void {
  addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  addEventListener("dragleave", ({ relatedTarget }) => {
    // Not on the way from one element to the next.
    if (relatedTarget === null) document.body.classList.remove("dropping");
  });
  addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dropping");
    if (!event.dataTransfer) return;
    take(event.dataTransfer, targets).catch((error: Error) =>
      targets.tell(`The folder cannot be read (${error.message}). Choose its files instead.`),
    );
  });
}
