// Copy buttons: they show up only where copying works.
(() => {
  "use strict";
  if (!navigator.clipboard) return;

  const reveal = () => {
    for (const button of document.querySelectorAll("[data-copy][hidden]")) button.hidden = false;
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const label = button.textContent;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Select it by hand";
    }
    setTimeout(() => { button.textContent = label; }, 2000);
  });

  reveal();
  document.addEventListener("replaced", reveal);
})();
