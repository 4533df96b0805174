"use strict";
// Django's picker of many puts a name on what has no role, which no screen reader says. It is made
// when the page has loaded, so this waits until that is over.
window.addEventListener("load", () => {
  setTimeout(() => {
    for (const icon of document.querySelectorAll("span.help-tooltip[aria-label]:not([role])")) {
      icon.setAttribute("role", "img");
    }
  });
});
