// The session console: one tap notes a mark here, and sends it when the lab can be reached.
// What waits is kept in this browser: ids and words only, no names.
(() => {
  "use strict";
  const root = document.getElementById("console");
  if (!root) return;
  const { read, write, send: post, overruled } = window.keptMarks;
  const LOOK_EVERY_MS = 5000;
  const MOST_AT_ONCE = 200;
  const banner = document.getElementById("away");
  const words = banner.querySelector("span").dataset;
  // The lab's clock, not this device's: a tablet may be hours off.
  // Of its two ways to count on, one stops while it sleeps, the other can be set back: the longer.
  let since = null;
  const anchor = (lab) => { since = { lab, steady: performance.now(), day: Date.now() }; };
  const labNow = () =>
    since.lab + Math.max(performance.now() - since.steady, Date.now() - since.day);
  const setClock = (said) => {
    if (Math.abs(Date.parse(said) - labNow()) > 5000) anchor(Date.parse(said));
  };
  anchor(Date.parse(root.dataset.now));
  const rows = new Map();
  for (const item of document.querySelectorAll("[data-place]")) {
    rows.set(item.dataset.place, {
      item,
      known: { presence: item.dataset.presence, mark: item.dataset.mark },
    });
  }
  let lastAt = 0;
  let sending = false;
  let away = false;
  let signedOut = false;
  let notLeading = false;
  let keeps = true;
  let inMemory = [];

  // Also of somebody who is not on this page any more: the lab says what becomes of it.
  const queue = () => {
    try {
      return read(root.dataset.kept);
    } catch {
      keeps = false; // shown in the banner: nothing outlives this page
      return inMemory;
    }
  };
  const keep = (marks) => {
    inMemory = marks;
    try {
      write(root.dataset.kept, marks);
    } catch {
      keeps = false; // the same
    }
  };
  const waiting = () => (keeps ? queue() : inMemory);

  const newId = () => [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const nextAt = () => {
    lastAt = Math.max(Math.round(labNow()), lastAt + 1);
    return new Date(lastAt).toISOString();
  };

  // What counts for a place: what the lab knows, then what was tapped here and not sent yet.
  const standing = (place, marks) => {
    const known = rows.get(place).known;
    const own = marks.filter((mark) => mark.enrolment === place);
    const undone = new Set(own.map((mark) => mark.undoes).filter(Boolean));
    const tapped = own.filter((mark) => mark.presence && !undone.has(mark.id));
    const last = tapped[tapped.length - 1];
    if (last) return { presence: last.presence, mark: last.id };
    return known.mark && !undone.has(known.mark) ? known : { presence: "", mark: "" };
  };

  const show = () => {
    const marks = waiting();
    const unsent = new Set(marks.map((mark) => mark.enrolment));
    let there = 0;
    for (const [place, { item }] of rows) {
      const now = standing(place, marks);
      if (now.presence === "present" || now.presence === "late") there += 1;
      for (const button of item.querySelectorAll("button[name=presence]")) {
        button.setAttribute("aria-pressed", String(button.value === now.presence));
      }
      const undo = item.querySelector("form.undo");
      if (undo) {
        undo.hidden = !now.mark;
        undo.querySelector("button").value = now.mark;
      }
      item.querySelector("[data-unsent]").hidden = !unsent.has(place);
    }
    const count = document.getElementById("there");
    count.textContent = count.dataset.say.replace("{there}", String(there)).replace("{all}", String(rows.size));
    const said = [];
    if (away) said.push(words.away);
    if (notLeading) said.push(words.notLeading);
    if (marks.length > 0 && (away || signedOut || notLeading)) {
      const why = signedOut ? words.signedOut : notLeading ? words.left : words.kept;
      said.push(why.replace("{count}", String(marks.length)));
    }
    if (!keeps && marks.length > 0) said.push(words.notKept);
    const text = said.join(" ");
    if (banner.lastElementChild.textContent !== text) banner.lastElementChild.textContent = text;
    banner.hidden = text === "";
  };

  // Another device marked somebody meanwhile, which nobody here had seen when they tapped: it is
  // said beside the name, with what counts. The newest tap does, whoever made it.
  const tell = (sent, found) => {
    for (const mark of overruled(sent, found.others)) {
      const place = mark.enrolment;
      const row = rows.get(place);
      const other = found.others[place];
      if (!row) continue;
      const now = found.rows[place] || { presence: "" };
      const word = (presence) =>
        row.item.querySelector(`button[name=presence][value="${presence}"]`)?.textContent.trim() || "–";
      const line = row.item.querySelector("[data-also]");
      line.querySelector("span").textContent = line.dataset.say
        .replace("{other}", word(other.presence)).replace("{now}", word(now.presence));
      line.hidden = false;
    }
  };

  // A mark that the lab did not take is gone: it is said beside the name.
  const aside = (mark) => {
    const row = rows.get(mark.enrolment);
    if (!row) return;
    const line = row.item.querySelector("[data-also]");
    line.querySelector("span").textContent = line.dataset.aside;
    line.hidden = false;
  };

  const refuse = (answers) => {
    const said = answers.flatMap((one) => one.refusals).map((one) => `${one.message} ${one.next_step}`);
    const notice = document.getElementById("refused");
    if (said.length === 0) return;
    notice.querySelector("span").textContent = [...new Set(said)].join(" ");
    notice.hidden = false;
  };

  const send = async () => {
    if (sending) return;
    sending = true;
    let most = MOST_AT_ONCE;
    let marks = waiting().slice(0, most);
    do {
      const said = await post(root.dataset.marks, marks);
      ({ away, signedOut, notLeading } = said);
      if (away || signedOut || notLeading) break;
      const sent = new Set(marks.map((mark) => mark.id));
      const done = () => keep(waiting().filter((mark) => !sent.has(mark.id)));
      const found = said.found;
      if (!found) { // it cannot read what it was sent: one by one, and the bad one goes aside
        if (marks.length === 1) {
          done();
          aside(marks[0]);
        }
        most = 1;
        marks = marks.length > 0 ? waiting().slice(0, most) : [];
        continue;
      }
      setClock(said.date);
      done(); // an answer for each, in their order
      for (const [place, now] of Object.entries(found.rows)) {
        if (rows.has(place)) rows.get(place).known = now;
      }
      tell(marks, found);
      refuse(found.marks);
      found.marks.forEach((one, at) => { if (one.refusals.length > 0) aside(marks[at]); });
      marks = waiting().slice(0, most);
    } while (marks.length > 0);
    sending = false;
    show();
  };

  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-taps]")) {
      if (away && event.target.getAttribute("action") !== "/out") hold(event);
      return;
    }
    event.preventDefault();
    const place = event.target.elements.enrolment.value;
    const pressed = event.submitter;
    const marks = waiting();
    // What counted when this was tapped: where it is another by then, somebody else tapped too.
    const over = standing(place, marks).mark;
    const mark = { id: newId(), enrolment: place, at: nextAt(), over };
    if (pressed.name === "presence") {
      if (standing(place, marks).presence === pressed.value) return;
      mark.presence = pressed.value;
    } else {
      mark.undoes = standing(place, marks).mark;
      if (!mark.undoes) return;
    }
    keep([...marks, mark]);
    rows.get(place).item.querySelector("[data-also]").hidden = true;
    show();
    // The undo button may be gone now: the focus stays with the person.
    if (pressed.closest("[hidden]")) rows.get(place).item.querySelector("button[name=presence]").focus();
    send();
  }, { capture: true });

  // While the network is away, nothing leads off this page: it could not be loaded again.
  const hold = (event) => {
    event.preventDefault();
    event.stopPropagation();
    banner.scrollIntoView({ block: "nearest" });
    send();
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (away && link && !link.getAttribute("href").startsWith("#")) hold(event);
  }, { capture: true });

  // Other pages of this browser leave these marks to this one.
  const channel = new BroadcastChannel("marks");
  channel.addEventListener("message", (event) => {
    if (event.data === `who:${root.dataset.kept}`) channel.postMessage(`here:${root.dataset.kept}`);
  });
  window.addEventListener("online", send);
  window.addEventListener("offline", () => { away = true; show(); });
  // Also with nothing to send: the answer says what others marked, and that the lab is there.
  setInterval(send, LOOK_EVERY_MS);
  show();
  send();
})();
