// The plot of a machine's page: temperatures and progress of the last hour.
(() => {
  "use strict";
  const EVERY_MS = 5000;
  const KEEP_S = 3600;
  const LEAST_S = 600;
  const figure = document.getElementById("plot");
  if (!figure || typeof uPlot === "undefined") return;
  const room = figure.querySelector(".drawing");
  const words = figure.querySelector("[data-words]");
  const { source, zone, french, progress } = figure.dataset;
  const names = ["at", "nozzle_c", "nozzle_target_c", "bed_c", "bed_target_c", "done"];
  let data = names.map(() => []);
  let drawn = null;

  const colour = (name) => () => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const clock = (at) => {
    const time = uPlot.tzDate(new Date(at * 1000), zone);
    const minutes = String(time.getMinutes()).padStart(2, "0");
    return french === "1" ? `${time.getHours()} h ${minutes}` : `${time.getHours()}:${minutes}`;
  };
  const axis = (more) => ({
    stroke: colour("--text"), font: "16px 'Atkinson Hyperlegible Next', sans-serif",
    grid: { stroke: colour("--line"), width: 0.5 }, ticks: { show: false }, ...more,
  });
  const wanted = uPlot.paths.stepped({ align: 1 });
  const line = (more) => ({ points: { show: false }, ...more });
  const options = () => ({
    width: room.clientWidth, height: room.clientHeight,
    cursor: { show: false }, legend: { show: false },
    tzDate: (at) => uPlot.tzDate(new Date(at * 1000), zone),
    scales: {
      x: { range: (_, first, last) => [Math.min(first, last - LEAST_S), last] },
      c: { range: (_, least, most) => [0, Math.max(50, (most || 0) * 1.1)] },
      share: { range: [0, 1] },
    },
    axes: [
      axis({ space: 90, size: 30, values: (_, at) => at.map(clock) }),
      axis({ scale: "c", size: 48, values: (_, all) => all.map((one) => `${one}°`) }),
      axis({ scale: "share", side: 1, size: 52, grid: { show: false }, splits: [0, 0.5, 1],
        show: progress === "1", values: (_, all) => all.map((one) => `${one * 100}%`) }),
    ],
    series: [
      {},
      line({ scale: "c", stroke: colour("--broken"), width: 3 }),
      line({ scale: "c", stroke: colour("--broken"), width: 1.5, dash: [3, 5], paths: wanted }),
      line({ scale: "c", stroke: colour("--busy"), width: 3, dash: [10, 4] }),
      line({ scale: "c", stroke: colour("--busy"), width: 1.5, dash: [3, 5], paths: wanted }),
      line({ scale: "share", stroke: colour("--free"), width: 2, dash: [1, 3] }),
    ],
  });

  const take = (news) => {
    const oldest = Date.now() / 1000 - KEEP_S;
    data = data.map((column, n) => column.concat(news[names[n]]));
    const first = data[0].findIndex((at) => at >= oldest);
    if (first > 0) data = data.map((column) => column.slice(first));
    if (words.textContent !== news.words) words.textContent = news.words;
    if (drawn) drawn.setData(data);
    else drawn = new uPlot(options(), data, room);
  };
  const ask = async () => {
    if (document.hidden) return;
    const last = data[0][data[0].length - 1];
    try {
      const answer = await fetch(last ? `${source}?after=${last}` : source);
      if (answer.ok) take(await answer.json());
    } catch {
      // The lab is away: the banner of the page says so, and the next round asks again.
    }
  };

  new ResizeObserver(() => {
    if (drawn) drawn.setSize({ width: room.clientWidth, height: room.clientHeight });
  }).observe(room);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawn && drawn.redraw());
  ask();
  setInterval(ask, EVERY_MS);
})();
