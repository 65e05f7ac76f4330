// The camera of a machine's page: one picture after the other while somebody looks, never an old
// one as if it were live.
(() => {
  "use strict";
  const EVERY_MS = 1000;
  const OLD_MS = 5000;
  const GONE_MS = 30000;
  const LIVE_MS = 2500;
  const figure = document.getElementById("camera");
  if (!figure) return;
  const picture = figure.querySelector("img");
  const caption = figure.querySelector("[data-age]");
  let takenAt = null;
  let seen = true;
  let asking = false;

  const asData = (blob) => new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(reader.result));
    reader.addEventListener("error", reject);
    reader.readAsDataURL(blob);
  });
  const say = () => {
    const age = takenAt === null ? Infinity : performance.now() - takenAt;
    figure.classList.toggle("old", age > OLD_MS);
    picture.hidden = age > GONE_MS;
    const { now, age: old, none } = caption.dataset;
    const said = age > GONE_MS ? none : age > LIVE_MS ? old : now;
    const text = said.replace("{seconds}", String(Math.round(age / 1000)));
    if (caption.textContent !== text) caption.textContent = text;
  };
  const ask = async () => {
    if (asking || document.hidden || !seen) return;
    asking = true;
    try {
      const answer = await fetch(figure.dataset.source);
      if (answer.ok) {
        const age = Number(answer.headers.get("Age")) * 1000;
        picture.src = await asData(await answer.blob());
        takenAt = performance.now() - age;
      }
    } catch {
      // The lab is away: the caption tells how old the picture is.
    }
    asking = false;
  };

  new IntersectionObserver((entries) => { seen = entries[0].isIntersecting; }).observe(figure);
  ask().then(say);
  setInterval(() => { ask(); say(); }, EVERY_MS);
})();
