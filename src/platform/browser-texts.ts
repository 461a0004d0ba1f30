// Small texts that outlast the page, in IndexedDB, which workers have too. Where storage is blocked it is as if nothing was kept.

import type { KeptTexts } from "../core/ports.js";

const STORE = "texts";

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open("nibblemark", 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("blocked"));
  });
}

async function transact<T>(mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const database = await open();
  try {
    return await new Promise((resolve, reject) => {
      const request = act(database.transaction(STORE, mode).objectStore(STORE));
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  } finally {
    database.close();
  }
}

export function browserTexts(): KeptTexts {
  return {
    async read(name) {
      const found: unknown = await transact("readonly", (store) => store.get(name)).catch(() => null);
      return typeof found === "string" ? found : null;
    },
    async write(name, text) {
      await transact("readwrite", (store) => store.put(text, name)).catch(() => {});
    },
  };
}
