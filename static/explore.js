// Asks without leaving the page: sends the form by fetch and takes the part that changed.
(() => {
  "use strict";
  const pane = document.querySelector(".pane");
  let asked = location.search;
  const say = (text) => { document.getElementById("announce").textContent = text; };

  const take = (html) => {
    const page = new DOMParser().parseFromString(html, "text/html");
    for (const selector of ["#answer", "#ask .fields"]) {
      const fresh = page.querySelector(selector);
      if (!fresh) return false;
      document.querySelector(selector).replaceWith(fresh);
    }
    document.dispatchEvent(new Event("replaced"));
    return true;
  };

  const show = async (url) => {
    const answer = document.getElementById("answer");
    answer.setAttribute("aria-busy", "true");
    say("Asking…");
    try {
      const response = await fetch(url, { headers: { Accept: "text/html" } });
      if (!take(await response.text())) throw new Error("not our page");
      const heading = document.getElementById("result");
      say(heading ? heading.textContent : "");
      if (heading) heading.focus();
    } catch {
      location.assign(url); // let the browser show what there is
    }
  };

  pane.addEventListener("submit", (event) => {
    if (event.target.id !== "ask") return;
    event.preventDefault();
    const given = new URLSearchParams();
    for (const [name, value] of new FormData(event.target)) {
      if (value.trim()) given.set(name, value);
    }
    given.set("ask", "1");
    const url = `${event.target.getAttribute("action")}?${given}`;
    history.pushState(null, "", url);
    asked = location.search;
    show(url);
  });

  // A jump within the page is a popstate too.
  addEventListener("popstate", () => { if (location.search !== asked) location.reload(); });
})();
