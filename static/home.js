// Asks the API for what the shelf does not have, or has no longer fresh, then takes the cards as
// the server renders them.
(() => {
  "use strict";
  const EVERY_MS = 30000;
  const SOON_MS = 2000; // a stale answer was served, and a newer one is on its way
  const PATIENCE = 3; // times to look for it
  const cards = document.getElementById("cards");
  const keep = document.getElementById("keep-fresh");
  if (!cards) return;
  keep.closest("label").hidden = false;

  let loaded = performance.now();
  let busy = false;
  let looked = 0;

  const isDue = (card) => {
    if ("missing" in card.dataset) return true;
    return (performance.now() - loaded) / 1000 > Number(card.dataset.freshFor);
  };

  const say = (card, text) => {
    const line = card.querySelector(".unasked");
    if (line) line.textContent = text;
  };

  // "came", "coming" when a newer one is on its way, "failed".
  const ask = async (card) => {
    if (!("failed" in card.dataset)) say(card, "Asking…");
    try {
      const response = await fetch(card.dataset.ask, { headers: { Accept: "application/json" } });
      if (response.ok) return (await response.json()).meta.stale ? "coming" : "came";
      const problem = await response.json();
      card.dataset.failed = "";
      say(card, `${problem.title}. ${problem.detail}`);
    } catch {
      card.dataset.failed = "";
      say(card, "This server could not be reached.");
    }
    return "failed";
  };

  const pageNow = async () => {
    try {
      const response = await fetch(location.pathname, { headers: { Accept: "text/html" } });
      if (!response.ok) return null;
      return new DOMParser().parseFromString(await response.text(), "text/html");
    } catch {
      return null; // the cards stay as they are, and their ages tell
    }
  };

  const take = async () => {
    const page = await pageNow();
    if (!page) return;
    for (const card of page.querySelectorAll("#cards > article")) {
      const old = document.getElementById(card.id);
      const focused = old && old.contains(document.activeElement);
      if (old && !focused && !("missing" in card.dataset)) old.replaceWith(card);
    }
    const providers = page.getElementById("providers-asked");
    if (providers) document.getElementById("providers-asked")?.replaceWith(providers);
    loaded = performance.now();
  };

  const refresh = async () => {
    if (busy || document.hidden) return;
    const due = [...cards.querySelectorAll("article")].filter(isDue);
    if (!due.length) return;
    busy = true;
    const first = due.some((card) => "missing" in card.dataset);
    const asked = await Promise.all(due.map(ask));
    if (asked.some((how) => how !== "failed")) {
      await take();
      if (first) document.getElementById("announce").textContent = "The answers have come.";
    }
    busy = false;
    looked = asked.includes("coming") ? looked + 1 : 0;
    if (looked && looked <= PATIENCE) setTimeout(refresh, SOON_MS);
  };

  refresh();
  setInterval(() => { if (keep.checked) refresh(); }, EVERY_MS);
})();
