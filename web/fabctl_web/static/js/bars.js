// Statistics: a plot of bars beside each table. The table says the same in numbers.
(() => {
  "use strict";
  if (typeof uPlot === "undefined") return;
  const colour = (name) => () => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const axis = (more) => ({
    stroke: colour("--text"), font: "16px 'Atkinson Hyperlegible Next', sans-serif",
    grid: { stroke: colour("--line"), width: 0.5 }, ticks: { show: false }, ...more,
  });
  const drawn = [];

  const draw = (figure) => {
    const room = figure.querySelector(".drawing");
    const labels = JSON.parse(figure.dataset.labels);
    const values = JSON.parse(figure.dataset.values);
    const places = labels.map((_, n) => n);
    // Where labels would touch, every second or third one stands there.
    const step = () => Math.max(1, Math.ceil((labels.length * 52) / Math.max(1, room.clientWidth - 60)));
    const plot = new uPlot({
      width: room.clientWidth, height: room.clientHeight,
      cursor: { show: false }, legend: { show: false },
      scales: {
        x: { time: false, range: [-0.5, labels.length - 0.5] },
        y: { range: (_, least, most) => [0, Math.max(1, (most || 0) * 1.1)] },
      },
      axes: [
        axis({ grid: { show: false }, splits: () => places, values: (_, at) => at.map((n) => (n % step() ? "" : labels[n])) }),
        axis({ size: 56, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000] }),
      ],
      series: [{}, {
        stroke: colour("--busy"), fill: colour("--busy"), width: 1, points: { show: false },
        paths: uPlot.paths.bars({ size: [0.7, 60] }),
      }],
    }, [places, values], room);
    drawn.push(plot);
    new ResizeObserver(() => plot.setSize({ width: room.clientWidth, height: room.clientHeight })).observe(room);
  };

  document.querySelectorAll("figure.bars").forEach(draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawn.forEach((plot) => plot.redraw()));
})();
