// Draws response times so that one can zoom into them: https://github.com/leeoniya/uPlot
(() => {
  "use strict";
  const place = document.getElementById("zoom");
  if (!place || !window.uPlot) return;
  const HEIGHT = 360;
  const said = (ms) => (ms == null ? "–" : ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toPrecision(3)} s`);
  // In UTC, like the table below; midnight is said by its day.
  const stamp = (at) => new Date(at * 1000).toISOString();
  const tick = (at) => (stamp(at).slice(11, 16) === "00:00" ? stamp(at).slice(5, 10) : stamp(at).slice(11, 16));

  const draw = (found) => {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const axis = { stroke: colour("--body-quiet-color"), grid: { stroke: colour("--hairline-color"), width: 1 }, ticks: { show: false } };
    const line = (label, stroke, more) => ({ label, stroke, value: (_, ms) => said(ms), ...more });
    const fill = colour("--link-fg");
    place.replaceChildren();
    const chart = new uPlot({
      width: place.clientWidth,
      height: HEIGHT,
      scales: { y: { range: (_, least, most) => [0, Math.max(1, (most ?? 0) * 1.05)] } },
      tzDate: (at) => uPlot.tzDate(new Date(at * 1000), "Etc/UTC"),
      axes: [{ ...axis, values: (_, ticks) => ticks.map(tick) }, { ...axis, size: 70, values: (_, ticks) => ticks.map(said) }],
      series: [
        { label: "Time", value: (_, at) => (at == null ? "–" : `${stamp(at).slice(0, 16).replace("T", " ")} UTC`) },
        line("Half within", fill, { width: 2 }),
        line("95 % within", colour("--warn"), { width: 1 }),
        line("Longest", colour("--calm"), { width: 1, dash: [4, 4] }),
      ],
    }, [found.at, found.p50, found.p95, found.most], place);
    addEventListener("resize", () => chart.setSize({ width: place.clientWidth, height: HEIGHT }));
    document.getElementById("zoom-help").hidden = false;
  };

  const take = async () => {
    try {
      const response = await fetch(place.dataset.url, { headers: { Accept: "application/json" } });
      if (!response.ok) throw new Error(response.status);
      draw(await response.json());
    } catch {
      place.textContent = "The figures could not be fetched; the table has the latest.";
    }
  };
  take();
})();
