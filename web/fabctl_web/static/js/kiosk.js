// Shared screens: the session's countdown, and the first tap after sleep, which does nothing.
(() => {
  "use strict";
  const body = document.body;
  if (!body.classList.contains("kiosk")) return;
  const SLEEP_MS = 300000;
  const EXTEND_EVERY_MS = 5000;
  const HOME_AGAIN_MS = 2000;
  const allowed = Number(body.dataset.session || 0) * 1000;
  const warnAt = Number(body.dataset.warn || 0) * 1000;
  const leaving = document.getElementById("leaving");
  const asleep = document.getElementById("asleep");
  let touchedAt = performance.now();
  let extendedAt = performance.now();
  let owed = false;
  let ended = false; // we are on our way to the board

  const token = () => document.querySelector('meta[name="csrf-token"]').content;
  const post = (url) => fetch(url, {
    method: "POST", headers: { "X-CSRFToken": token() }, redirect: "manual",
  });

  const extend = async () => {
    owed = false;
    extendedAt = performance.now();
    const answer = await post("/in/extend").catch(() => null);
    if (answer && answer.status === 401) end();
  };
  const end = async () => {
    if (ended) return;
    ended = true;
    await post("/out").catch(() => null);
    goHome();
  };
  // Without network the board cannot be loaded: until it can, nothing of the person stays here.
  const goHome = async () => {
    const answer = await fetch("/", { method: "HEAD", cache: "no-store" }).catch(() => null);
    if (answer && answer.ok) {
      location.assign("/");
      return;
    }
    for (const part of body.children) part.hidden = part.id !== "alone";
    setTimeout(goHome, HOME_AGAIN_MS);
  };

  const touched = (event) => {
    touchedAt = performance.now();
    if (!asleep.hidden) {
      event.preventDefault();
      event.stopImmediatePropagation();
      if (event.type === "click" || event.type === "keydown") asleep.hidden = true;
      return;
    }
    if (allowed) owed = true;
  };
  for (const name of ["pointerdown", "click", "keydown"]) {
    document.addEventListener(name, touched, { capture: true });
  }

  setInterval(() => {
    const now = performance.now();
    if (!allowed) {
      if (now - touchedAt > SLEEP_MS) sleep();
      return;
    }
    if (owed && now - extendedAt >= EXTEND_EVERY_MS) extend();
    const left = allowed - (now - Math.max(touchedAt, extendedAt));
    leaving.hidden = left > warnAt;
    if (left <= warnAt) {
      const text = leaving.querySelector("[data-left]");
      text.textContent = text.dataset.left.replace("{seconds}", String(Math.max(0, Math.ceil(left / 1000))));
    }
    if (left <= 0) end();
  }, 250);

  // Asleep means: back on the board, where a stray tap can do nothing but wake.
  const sleep = () => {
    if (location.pathname === "/") asleep.hidden = false;
    else if (!ended) goHome();
    ended = true;
  };
})();
