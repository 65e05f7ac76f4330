// Says where marks of attendance wait in this browser: in the list of one's sessions, and on a shared
// screen, where others come and go. Opening the console sends them. What is kept holds no names.
(() => {
  "use strict";
  const FORGOTTEN_MS = 30 * 24 * 3600 * 1000; // every sheet has closed by then: no lab takes them
  const marksOf = (key) => {
    try {
      const kept = JSON.parse(localStorage.getItem(key) || "[]");
      return Array.isArray(kept) ? kept : [];
    } catch {
      return []; // this browser keeps nothing: then nothing waits in it
    }
  };
  for (const row of document.querySelectorAll("li[data-kept]")) {
    row.querySelector("[data-unsent]").hidden = marksOf(row.dataset.kept).length === 0;
  }

  const notice = document.getElementById("unsent");
  if (!notice) return;
  const open = document.getElementById("console")?.dataset.kept || "";
  const session = (key) => key.split(":")[1];
  const keys = () => {
    try {
      return Object.keys(localStorage).filter((key) => key.startsWith("marks:"));
    } catch {
      return []; // the same
    }
  };
  const old = (key) => {
    const oldest = Date.now() - FORGOTTEN_MS;
    return marksOf(key).every((mark) => Date.parse(mark.at) < oldest);
  };
  // Before anybody has signed in, all that wait; then one's own, and those of the open session.
  const concerns = (key) => key !== open && (!notice.dataset.person
    || key.endsWith(`:${notice.dataset.person}`) || (open && session(key) === session(open)));

  for (const key of keys().filter(old)) localStorage.removeItem(key);
  const waiting = keys().filter(concerns);
  const count = waiting.reduce((sum, key) => sum + marksOf(key).length, 0);
  if (count === 0) return;
  notice.querySelector("span").textContent = notice.dataset.say.replace("{count}", String(count));
  const link = notice.querySelector("a");
  link.href = notice.dataset.console.replace("/-/", `/${encodeURIComponent(session(waiting[0]))}/`);
  link.hidden = open !== "" && session(waiting[0]) === session(open);
  notice.hidden = false;
})();
