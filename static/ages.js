// Keeps the ages on a page counting. They count from what the server said, by this machine's
// monotonic clock, so that a wrong wall clock does no harm.
(() => {
  "use strict";
  const UNITS = [[86400, "day", "days"], [3600, "h", "h"], [60, "min", "min"], [1, "s", "s"]];
  const seen = new WeakMap();

  const words = (seconds) => {
    const [size, one, many] = UNITS.find(([unit]) => seconds >= unit) ?? UNITS[3];
    const count = Math.floor(seconds / size);
    return `${count} ${count === 1 ? one : many} ago`;
  };

  const tick = () => {
    const now = performance.now();
    for (const element of document.querySelectorAll("[data-age]")) {
      if (!seen.has(element)) seen.set(element, now - Number(element.dataset.age) * 1000);
      const text = words((now - seen.get(element)) / 1000);
      if (element.textContent !== text) element.textContent = text;
    }
  };

  tick();
  setInterval(tick, 1000);
})();
