// Marks of attendance that wait in this browser: says how many, and sends those of whoever is signed
// in. What the lab does not take, and what another device said otherwise, stays for the console: it
// tells that beside the name. What is kept holds no names.
(() => {
  "use strict";
  const { read, write, send: post, overruled } = window.keptMarks;
  const FORGOTTEN_MS = 30 * 24 * 3600 * 1000; // every sheet has closed by then: no lab takes them
  const AGAIN_MS = 10000;
  const REPLY_MS = 300;
  const MOST_AT_ONCE = 200;
  const notice = document.getElementById("unsent");
  if (!notice) return;
  const words = notice.dataset;
  const open = document.getElementById("console")?.dataset.kept || "";
  const toLookAt = new Set(); // ids of marks that are left to the console
  const notLed = new Set(); // keys of sessions that whoever is signed in leads no more
  let person = words.signedIn;
  let away = false;
  let tried = false;
  let sending = false;

  const marksOf = (key) => {
    try {
      return read(key);
    } catch {
      return []; // this browser keeps nothing: then nothing waits in it
    }
  };
  const keys = () => {
    try {
      return Object.keys(localStorage).filter((key) => key.startsWith("marks:"));
    } catch {
      return []; // the same
    }
  };
  const session = (key) => key.split(":")[1];
  const address = (pattern, key) => pattern.replace("/-/", `/${encodeURIComponent(session(key))}/`);
  const old = (key) => {
    const oldest = Date.now() - FORGOTTEN_MS;
    return marksOf(key).every((mark) => Date.parse(mark.at) < oldest);
  };
  const mine = (key) => person !== "" && key !== open && key.endsWith(`:${person}`);
  // Before anybody has signed in, all that wait; then one's own, and those of the open session.
  const concerns = (key) => key !== open
    && (person === "" || mine(key) || (open !== "" && session(key) === session(open)));
  const unsent = (key) => marksOf(key).filter((mark) => !toLookAt.has(mark.id));
  const left = (key) => marksOf(key).filter((mark) => toLookAt.has(mark.id));

  const show = () => {
    for (const row of document.querySelectorAll("li[data-kept]")) {
      row.querySelector("[data-unsent]").hidden = !tried || marksOf(row.dataset.kept).length === 0;
    }
    const own = keys().filter(mine);
    const led = own.filter((key) => !notLed.has(key));
    const strange = keys().filter((key) => concerns(key) && !mine(key));
    const said = [
      [words.say, strange, marksOf],
      [words.later, away ? led : [], unsent],
      [words.look, led, left],
      [words.left, own.filter((key) => notLed.has(key)), marksOf],
    ].map(([text, some, of]) => [text, some.reduce((sum, key) => sum + of(key).length, 0)])
      .filter(([, count]) => count > 0)
      .map(([text, count]) => text.replace("{count}", String(count)));
    const there = [...led.filter((key) => left(key).length > 0), ...strange][0];
    const link = notice.querySelector("a");
    if (there) link.href = address(words.console, there);
    link.hidden = !there || (open !== "" && session(there) === session(open));
    const line = notice.querySelector("span");
    if (line.textContent !== said.join(" ")) line.textContent = said.join(" "); // read out once
    notice.hidden = said.length === 0;
  };

  // Two pages would take each other's changes back: a console that is open sends its own.
  const channel = new BroadcastChannel("marks");
  const isOpen = (key) => new Promise((tell) => {
    const timer = setTimeout(() => tell(false), REPLY_MS);
    channel.onmessage = (event) => {
      if (event.data !== `here:${key}`) return;
      clearTimeout(timer);
      tell(true);
    };
    channel.postMessage(`who:${key}`);
  });

  const sendKept = async (key) => {
    const marks = unsent(key).slice(0, MOST_AT_ONCE);
    if (marks.length === 0 || notLed.has(key) || await isOpen(key)) return;
    const said = await post(address(words.marks, key), marks);
    away = said.away;
    if (said.signedOut) person = "";
    if (said.notLeading) notLed.add(key);
    if (said.away || said.signedOut || said.notLeading) return;
    const stays = said.found ? tellings(marks, said.found) : marks; // else the console finds the bad one
    for (const mark of stays) toLookAt.add(mark.id);
    const sent = new Set(marks.map((mark) => mark.id));
    write(key, read(key).filter((mark) => !sent.has(mark.id) || toLookAt.has(mark.id)));
  };
  // All marks of a place that another device marked, too: the console sends them once more, which
  // changes nothing, and hears the same.
  const tellings = (marks, found) => {
    const places = new Set(overruled(marks, found.others).map((mark) => mark.enrolment));
    return marks.filter((mark, at) => places.has(mark.enrolment) || found.marks[at].refusals.length > 0);
  };
  const send = async () => {
    if (sending) return;
    sending = true;
    away = false;
    for (const key of keys().filter(mine)) if (!away) await sendKept(key);
    sending = false;
    tried = true;
    show();
  };

  for (const key of keys().filter(old)) localStorage.removeItem(key);
  show();
  send();
  window.addEventListener("online", send);
  window.addEventListener("storage", show);
  setInterval(send, AGAIN_MS);
})();
