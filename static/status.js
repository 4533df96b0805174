// Takes the page anew every half minute while it is looked at, and says when the banner changed.
(() => {
  "use strict";
  const EVERY_MS = 30000;
  const keep = document.getElementById("keep-fresh");
  if (!keep) return;
  keep.closest("label").hidden = false;

  const word = (root) => root.querySelector(".banner .word")?.textContent.trim() ?? "";

  const refresh = async () => {
    const old = document.getElementById("now");
    if (document.hidden || !keep.checked || old.contains(document.activeElement)) return;
    let page;
    try {
      const response = await fetch(location.pathname, { headers: { Accept: "text/html" } });
      if (!response.ok) return;
      page = new DOMParser().parseFromString(await response.text(), "text/html");
    } catch {
      return; // the page stays as it is, and its ages tell
    }
    const fresh = page.getElementById("now");
    if (!fresh) return;
    const before = word(old);
    const open = [...old.querySelectorAll("details")].map((details) => details.open);
    fresh.querySelectorAll("details").forEach((details, n) => { details.open = open[n] ?? false; });
    old.replaceWith(fresh);
    document.title = page.title;
    if (word(fresh) !== before) document.getElementById("announce").textContent = word(fresh);
  };

  setInterval(refresh, EVERY_MS);
  document.addEventListener("visibilitychange", refresh);
})();
