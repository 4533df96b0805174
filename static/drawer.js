// Opens the status drawer, takes it anew every three seconds while it is open and looked at, and
// remembers which sections are folded.
(() => {
  "use strict";
  const EVERY_MS = 3000;
  const PATIENCE_MS = 10000;
  const by = (id) => document.getElementById(id);
  const button = by("drawer-open");
  const drawer = by("drawer");
  const body = by("drawer-body");
  if (!button || !drawer || !drawer.showModal) return; // the link leads to the status page

  let etag = "";
  let timer = 0;
  let busy = false;

  // A browser may keep us from remembering: then nothing is remembered.
  const remembered = (id) => {
    try { return localStorage.getItem(id); } catch { return null; }
  };
  const remember = (details) => {
    try { localStorage.setItem(details.id, details.open ? "open" : "folded"); } catch { /* see above */ }
  };

  const asLeft = (root) => {
    for (const details of root.querySelectorAll("details[id]")) {
      const left = remembered(details.id);
      if (left) details.open = left === "open";
    }
  };

  // Only what has changed is replaced, and what is inside keeps the focus.
  const replace = (old, fresh) => {
    if (old.innerHTML === fresh.innerHTML) return;
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    const place = focused?.getAttribute("href");
    const isSummary = focused?.tagName === "SUMMARY";
    old.replaceChildren(...fresh.childNodes);
    if (place) [...old.querySelectorAll("a")].find((a) => a.getAttribute("href") === place)?.focus();
    if (isSummary) old.querySelector("summary")?.focus();
  };

  const word = (root) => root.querySelector(".drawer-whole")?.textContent.trim() ?? "";

  const put = (html) => {
    const page = new DOMParser().parseFromString(html, "text/html").body;
    asLeft(page);
    const before = word(body);
    const known = [...body.children].map((child) => child.id).join();
    if (known !== [...page.children].map((child) => child.id).join()) {
      body.replaceChildren(...page.childNodes);
    } else {
      [...body.children].forEach((old, n) => {
        const fresh = page.children[n];
        const parts = [":scope > summary", ":scope > .drawer-rows"];
        const found = parts.map((part) => [old.querySelector(part), fresh.querySelector(part)]);
        if (found.every(([mine, theirs]) => mine && theirs)) found.forEach((two) => {
          // The outer one stays as it is folded; those inside are as they were left.
          replace(...two);
        });
        else replace(old, fresh);
      });
    }
    if (before && word(body) !== before) by("drawer-announce").textContent = word(body);
  };

  const said = (text) => {
    if (by("drawer-updated").textContent !== text) by("drawer-updated").textContent = text;
  };

  const refresh = async () => {
    if (busy || document.hidden || !drawer.open) return;
    busy = true;
    const patience = new AbortController();
    const late = setTimeout(() => patience.abort(), PATIENCE_MS);
    try {
      const headers = { Accept: "text/html", ...(etag && { "If-None-Match": etag }) };
      const asked = { headers, cache: "no-store", credentials: "same-origin", signal: patience.signal };
      const response = await fetch(drawer.dataset.url, asked);
      if (response.status === 200) {
        put(await response.text());
        etag = response.headers.get("ETag") ?? "";
      } else if (response.status !== 304) {
        throw new Error(response.status);
      }
      const at = new Date(response.headers.get("X-Read-At") ?? Date.now());
      drawer.classList.remove("drawer-old");
      said(`Last update ${at.toISOString().slice(11, 19)} UTC`);
    } catch {
      if (!drawer.classList.contains("drawer-old")) {
        drawer.classList.add("drawer-old");
        const last = by("drawer-updated").textContent;
        said(`Not reachable. ${last}`);
        by("drawer-announce").textContent = "This server cannot be reached; what is shown is older.";
      }
    } finally {
      clearTimeout(late);
      busy = false;
    }
  };

  button.setAttribute("role", "button");
  button.setAttribute("aria-haspopup", "dialog");
  const open = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a new tab of the page
    event.preventDefault();
    drawer.showModal();
    refresh();
    timer = setInterval(refresh, EVERY_MS);
  };
  button.addEventListener("click", open);
  button.addEventListener("keydown", (event) => { if (event.key === " ") open(event); });
  by("drawer-close").addEventListener("click", () => drawer.close());
  by("drawer-refresh").addEventListener("click", refresh);
  drawer.addEventListener("click", (event) => { if (event.target === drawer) drawer.close(); });
  drawer.addEventListener("close", () => { clearInterval(timer); button.focus(); });
  body.addEventListener("toggle", (event) => { if (event.target.id) remember(event.target); }, true);
  document.addEventListener("visibilitychange", refresh);
})();
