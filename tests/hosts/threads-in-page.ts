// First script of the page that tests/hosts/threads-in-chromium.test.ts opens: starts the worker that judges and shows its verdict.

const worker = new Worker(new URL("./threads-in-worker.js", import.meta.url), { type: "module" });
worker.onmessage = ({ data }) => {
  const element = document.createElement("pre");
  element.id = "verdict";
  element.textContent = JSON.stringify(data);
  document.body.append(element);
};
worker.postMessage(new URL("./", document.location.href).href);
