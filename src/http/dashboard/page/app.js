// The page: logs in, loads everything, and keeps it up to date.

import { at } from "./dom.js";
import { Refused, ask, follow, logIn, logOut } from "./service.js";
import { readAddress } from "./search.js";
import * as offers from "./offers.js";
import * as planner from "./plan.js";
import * as quotas from "./quotas.js";
import * as status from "./status.js";

const FAILED_LAUNCHES = "offers?availability=not_available&min_gpu_count=1&limit=100";

let stop = null;

// Does something, and tells what goes wrong instead of throwing.
async function guarded(work) {
  try {
    await work();
    told("as of " + new Date().toLocaleTimeString());
  } catch (error) {
    if (error instanceof Refused && error.status === 401) return askForToken();
    const known = !at("content").hidden ? "; what is shown was known before" : "";
    told((error instanceof Refused ? error.message : "quota-oracle cannot be reached") + known, "bad");
    at("content").hidden = false;
    if (!(error instanceof Refused || error instanceof TypeError)) throw error;
  }
}

function told(text, look = "dim") {
  at("state").textContent = text;
  at("state").className = look;
}

function askForToken() {
  stop?.();
  stop = null;
  at("content").hidden = true;
  at("logout").hidden = true;
  at("live").textContent = "";
  told("");
  if (!at("login").hidden) return;
  at("login").hidden = false;
  at("token").focus();
}

async function refresh(changed) {
  const overview = await ask("quotas");
  status.showTrouble(overview);
  status.showBackends(overview);
  quotas.know(overview);
  const launches = async () => {
    status.showLeases(await ask("leases"));
    status.showFailures(await ask(FAILED_LAUNCHES));
  };
  await Promise.all([offers.search(), planner.plan(), launches(), quotas.refresh(changed)]);
  status.showContradictions(quotas.contradicted());
}

async function begin() {
  const session = await ask("session");
  at("login").hidden = true;
  at("content").hidden = false;
  at("logout").hidden = !session.by_cookie;
  offers.tellOfToken(session.name !== null);
  stop ??= follow((changed) => guarded(() => refresh(changed)), (how) => { at("live").textContent = "Updates: " + how + "."; });
  await refresh();
}

at("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  at("login-error").textContent = "";
  try {
    await logIn(at("token").value.trim());
  } catch (error) {
    at("login-error").textContent = error instanceof Refused ? error.message : "quota-oracle cannot be reached";
    at("token").select();
    return;
  }
  at("token").value = "";
  guarded(begin);
});
at("logout").addEventListener("click", () => guarded(async () => { await logOut(); askForToken(); }));
addEventListener("popstate", () => { readAddress(); guarded(refresh); });

readAddress();
offers.start(guarded, quotas.name);
planner.start(guarded);
quotas.start(guarded, () => status.showContradictions(quotas.contradicted()));
guarded(begin);
