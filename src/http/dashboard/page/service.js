// Questions to the service, and word of what changes.

export class Refused extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

export async function ask(path, options = {}) {
  const headers = { Accept: "application/json", ...options.headers };
  const response = await fetch(path, { cache: "no-cache", ...options, headers });
  if (response.ok) return response.status === 204 ? null : response.json();
  const problem = await response.json().catch(() => ({}));
  throw new Refused(response.status, problem.detail || response.status + " " + response.statusText);
}

export function logIn(token) {
  const headers = { "Content-Type": "application/json" };
  return ask("session", { method: "POST", headers, body: JSON.stringify({ token }) });
}

export const logOut = () => ask("session", { method: "DELETE" });

// Changes are collected for so long, so that a crowd of them is one refresh.
const GATHER = 2000;
const POLL = 30000;

// Calls `changed` with the regions that have changed, or with nothing when any may have: by events
// while there is a stream of them, else by asking again. Returns a function that ends it.
export function follow(changed, told) {
  let regions = new Map();
  let everything = false;
  let waiting;
  let stream;
  let poll;
  const soon = () => { waiting ??= setTimeout(flush, GATHER); };
  function flush() {
    waiting = undefined;
    if (document.hidden) return;
    const gathered = everything ? null : [...regions.values()];
    if (!everything && !gathered.length) return;
    regions = new Map();
    everything = false;
    changed(gathered);
  }
  function polling(on) {
    clearInterval(poll);
    poll = on ? setInterval(() => { everything = true; flush(); }, POLL) : undefined;
    told(on ? "asks again every " + POLL / 1000 + " seconds" : "live");
  }
  function open() {
    stream = new EventSource("events");
    stream.onopen = () => polling(false);
    stream.onmessage = (event) => {
      const { backend, region } = JSON.parse(event.data);
      regions.set(backend + "\n" + region, { backend, region });
      soon();
    };
    stream.addEventListener("reset", () => { everything = true; soon(); });
    stream.onerror = () => {
      if (!poll) polling(true);
      // A browser gives up a stream that was refused.
      if (stream.readyState === EventSource.CLOSED) { clearTimeout(waiting); waiting = undefined; setTimeout(() => stream && open(), POLL); }
    };
  }
  const seen = () => { if (!document.hidden) { if (poll) everything = true; soon(); } };
  document.addEventListener("visibilitychange", seen);
  polling(true);
  open();
  return () => {
    document.removeEventListener("visibilitychange", seen);
    clearInterval(poll);
    clearTimeout(waiting);
    stream.close();
    stream = null;
  };
}
