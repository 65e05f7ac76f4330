// Shared screens: the session's countdown and its end, also without network; the first tap after
// sleep, which does nothing.
(() => {
  "use strict";
  const body = document.body;
  if (!body.classList.contains("kiosk")) return;
  const HOME = body.dataset.home || "/";
  const SLEEP_MS = Number(body.dataset.idle || 300) * 1000;
  const DARK_AFTER_MS = 60000; // at night, without a touch
  const EXTEND_EVERY_MS = 5000;
  const HOME_AGAIN_MS = 2000;
  const allowed = Number(body.dataset.session || 0) * 1000;
  const warnAt = Number(body.dataset.warn || 0) * 1000;
  const longest = Number(body.dataset.longest || 0) * 1000; // of an answer that somebody waits for
  const leaving = document.getElementById("leaving");
  const asleep = document.getElementById("asleep");
  const TOUCHED = "touched"; // when, by the browser's clock: a page that loads anew has it, too
  let touchedAt = performance.now();
  let extendedAt = -Infinity;
  let owed = false; // a touch that the lab does not know yet
  let ended = false; // we are on our way home
  let waitsUntil = -Infinity; // somebody waits for an answer: a file is copied, a job starts

  // A page that loads itself again is no touch: what counts is when the lab last knew of one, and
  // what was touched since, on the page before.
  if (allowed) {
    touchedAt -= Math.max(0, allowed - Number(body.dataset.sessionLeft) * 1000);
    const before = performance.now() - (Date.now() - Number(sessionStorage.getItem(TOUCHED)));
    if (before > touchedAt && before <= performance.now()) {
      touchedAt = before;
      owed = true;
    }
  } else sessionStorage.removeItem(TOUCHED);

  const token = () => document.querySelector('meta[name="csrf-token"]').content;
  const post = (url) => fetch(url, {
    method: "POST", headers: { "X-CSRFToken": token() }, redirect: "manual",
  });

  const extend = async () => {
    owed = false;
    extendedAt = performance.now();
    const idle = Math.floor((extendedAt - touchedAt) / 1000);
    const answer = await post(`/in/extend?idle=${idle}`).catch(() => null);
    // 401, or 400: the form's token went with the session. Without an answer it is asked again.
    if (answer && answer.status >= 400 && answer.status < 500) end();
    else if (!answer || !answer.ok) owed = true;
  };
  const showOnly = (id) => { for (const part of body.children) part.hidden = part.id !== id; };
  const end = () => {
    if (ended) return;
    ended = true;
    showOnly(""); // at once, whatever the network does: nothing of the person stays here
    leave();
  };
  // Nobody is led home before the lab has ended the session: the next one would be in it.
  const leave = async () => {
    const answer = await post("/out").catch(() => null);
    if (answer && answer.status < 500) goHome();
    else again(leave);
  };
  const goHome = async () => {
    const answer = await fetch(HOME, { method: "HEAD", cache: "no-store" }).catch(() => null);
    if (answer && answer.ok) location.assign(HOME);
    else again(goHome);
  };
  const again = (step) => {
    showOnly("alone");
    setTimeout(step, HOME_AGAIN_MS);
  };

  // Signing out works without network, too. No other script holds this form back.
  document.addEventListener("submit", (event) => {
    if (!allowed || event.target.getAttribute("action") !== "/out") return;
    event.preventDefault();
    event.stopImmediatePropagation();
    end();
  }, { capture: true });
  document.addEventListener("submit", (event) => {
    const waits = event.submitter && event.submitter.dataset.wait && !event.defaultPrevented;
    if (waits) waitsUntil = performance.now() + longest;
  });

  const touched = (event) => {
    touchedAt = performance.now();
    if (!asleep.hidden) {
      event.preventDefault();
      event.stopImmediatePropagation();
      if (event.type !== "pointerdown") asleep.hidden = true;
      return;
    }
    if (!allowed) return;
    owed = true;
    sessionStorage.setItem(TOUCHED, String(Date.now()));
  };
  for (const name of ["pointerdown", "click", "keydown", "typed"]) {
    document.addEventListener(name, touched, { capture: true });
  }

  setInterval(() => {
    const now = performance.now();
    if (!allowed) {
      const dark = night();
      asleep.classList.toggle("night", dark);
      if (now - touchedAt > (dark ? Math.min(SLEEP_MS, DARK_AFTER_MS) : SLEEP_MS)) sleep();
      return;
    }
    if (ended) return;
    if (now < waitsUntil) {
      touchedAt = now;
      owed = true;
    }
    if (owed && now - extendedAt >= EXTEND_EVERY_MS) extend();
    const left = allowed - (now - touchedAt);
    leaving.hidden = left > warnAt;
    if (left <= warnAt) {
      const text = leaving.querySelector("[data-left]");
      text.textContent = text.dataset.left.replace("{seconds}", String(Math.max(0, Math.ceil(left / 1000))));
    }
    if (left <= 0) end();
  }, 250);

  // The night is the lab's: by its clocks, wherever the browser believes to be.
  const hours = (body.dataset.night || "").split("-").map(Number);
  const clock = hours.length === 2 && new Intl.DateTimeFormat("en-GB", {
    timeZone: body.dataset.zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23",
  });
  const night = () => {
    if (!clock) return false;
    const [hour, minute] = clock.format(new Date()).split(":").map(Number);
    const [from, until] = hours;
    const at = hour * 60 + minute;
    return from < until ? at >= from && at < until : at >= from || at < until;
  };

  // Asleep means: back on the screen's own page, where a stray tap can do nothing but wake.
  const sleep = () => {
    if (location.pathname === HOME) asleep.hidden = false;
    else if (!ended) goHome();
    ended = true;
  };
})();
