// Registers the service worker that keeps the page for offline use, and says what came of it.

/** @param told what the capability card shows */
export async function keepOffline(told: (state: string) => void): Promise<void> {
  if (!("serviceWorker" in navigator)) {
    told(
      isSecureContext
        ? "not possible: this browser has no service workers here"
        : "not possible: the page was not loaded over HTTPS or from this machine",
    );
    return;
  }
  try {
    const registration = await navigator.serviceWorker.register(new URL("sw.js", document.baseURI));
    await navigator.serviceWorker.ready;
    const tell = () => {
      const newer = registration.waiting ? "; a newer version takes its place once all its tabs were closed" : "";
      told(`yes: this page and its model are kept for the next visit${newer}`);
    };
    registration.addEventListener("updatefound", () => registration.installing?.addEventListener("statechange", tell));
    tell();
  } catch (error) {
    told(`not possible: the browser refused to keep the page (${(error as Error).message})`);
  }
}
