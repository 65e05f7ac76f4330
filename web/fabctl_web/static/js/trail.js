// The top view of a machine's page: its head over the work area, and where it was. Equal scale.
(() => {
  "use strict";
  const EVERY_MS = 5000;
  const LEFT = 56;
  const BELOW = 30;
  const EDGE = 12;
  const figure = document.getElementById("trail");
  if (!figure || typeof uPlot === "undefined") return;
  const room = figure.querySelector(".drawing");
  const words = figure.querySelector("[data-words]");
  let said = null;
  let drawn = null;

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const size = () => {
    const [left, right, front, back] = said.box;
    const wide = room.clientWidth - LEFT - EDGE;
    const high = room.clientHeight - BELOW - EDGE;
    const scale = Math.max(0.01, Math.min(wide / (right - left), high / (back - front)));
    return {
      width: Math.round(scale * (right - left)) + LEFT + EDGE,
      height: Math.round(scale * (back - front)) + BELOW + EDGE,
    };
  };
  const corners = () => [said.box.slice(0, 2), said.box.slice(2)];
  const axis = (more) => ({
    stroke: () => colour("--text"), font: "16px 'Atkinson Hyperlegible Next', sans-serif",
    grid: { stroke: () => colour("--line"), width: 0.5 }, ticks: { show: false }, ...more,
  });

  const draw = ({ ctx, valToPos }) => {
    const at = (x, y) => [valToPos(x, "x", true), valToPos(y, "y", true)];
    const dot = window.devicePixelRatio;
    ctx.save();
    if (said.area) {
      const [x, y] = at(said.area[0], said.area[3]);
      const [right, front] = at(said.area[1], said.area[2]);
      ctx.strokeStyle = colour("--text");
      ctx.lineWidth = 2 * dot;
      ctx.strokeRect(x, y, right - x, front - y);
    }
    const head = document.querySelector("[data-head]");
    const here = head ? head.dataset.head.split(" ").map(Number) : null;
    ctx.strokeStyle = colour("--busy");
    ctx.lineWidth = 2.5 * dot;
    ctx.beginPath();
    let begun = false;
    said.path[0].forEach((x, n) => {
      if (x !== null) ctx[begun ? "lineTo" : "moveTo"](...at(x, said.path[1][n]));
      begun = x !== null;
    });
    if (here && begun) ctx.lineTo(...at(...here));
    ctx.stroke();
    if (here) {
      ctx.beginPath();
      ctx.arc(...at(...here), 8 * dot, 0, 2 * Math.PI);
      ctx.fillStyle = ctx.strokeStyle = colour(head.classList.contains("old") ? "--muted" : "--broken");
      if (head.classList.contains("old")) ctx.stroke();
      else ctx.fill();
    }
    ctx.restore();
  };
  const options = () => ({
    ...size(), padding: [EDGE, EDGE, 0, 0], cursor: { show: false }, legend: { show: false },
    scales: {
      x: { time: false, range: () => corners()[0] },
      y: { range: () => corners()[1] },
    },
    axes: [axis({ size: BELOW, space: 60 }), axis({ size: LEFT, space: 36 })],
    series: [{}, { paths: () => null, points: { show: false } }],
    hooks: { draw: [draw] },
  });

  const show = () => {
    if (!drawn) drawn = new uPlot(options(), corners(), room);
    else {
      drawn.setSize(size());
      drawn.setData(corners());
    }
  };
  const ask = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(figure.dataset.source);
      if (!answer.ok) return;
      const news = await answer.json();
      if (!news.box) return;
      said = news;
      if (words.textContent !== news.words) words.textContent = news.words;
      show();
    } catch {
      // The lab is away: the banner of the page says so, and the next round asks again.
    }
  };

  new ResizeObserver(() => drawn && show()).observe(room);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawn && drawn.redraw());
  document.body.addEventListener("htmx:afterSwap", () => drawn && drawn.redraw(false));
  ask();
  setInterval(ask, EVERY_MS);
})();
