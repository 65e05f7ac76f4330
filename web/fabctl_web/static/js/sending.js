// How marks of attendance that wait in this browser get to the lab: for the console, and for every
// other page of the lab that is open here. They are kept by session and person, without names.
window.keptMarks = (() => {
  "use strict";
  const TIMEOUT_MS = 8000;

  const isMark = (one) => one && typeof one.id === "string" && typeof one.enrolment === "string"
    && typeof one.at === "string" && (typeof one.presence === "string" || typeof one.undoes === "string");
  // Both throw where this browser keeps nothing.
  const read = (key) => {
    const kept = JSON.parse(localStorage.getItem(key) || "[]");
    return Array.isArray(kept) ? kept.filter(isMark) : [];
  };
  const write = (key, marks) => {
    if (marks.length === 0) localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify(marks));
  };

  const ask = async (address, options) => {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), TIMEOUT_MS);
    try {
      return await fetch(address, { ...options, cache: "no-store", redirect: "manual", signal: stop.signal });
    } catch {
      return null; // no network: whoever asked says so, and asks again
    } finally {
      clearTimeout(timer);
    }
  };

  // What the lab says to some of them. None of the four: it cannot read what it was sent.
  const send = async (address, marks) => {
    const token = document.querySelector('meta[name="csrf-token"]').content;
    const answer = await ask(address, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": token },
      body: JSON.stringify({ marks }),
    });
    const status = answer ? answer.status : 0; // 0 also where something else leads elsewhere
    const found = answer && answer.ok ? await answer.json().catch(() => null) : null;
    const whole = found !== null && found.marks.length === marks.length; // an answer for each
    return {
      away: status === 0 || status >= 500 || (answer.ok && !whole),
      signedOut: status === 400 || status === 401, // the form's token goes with the session
      notLeading: status === 403 || status === 404,
      found: whole ? found : null,
      date: answer && answer.headers.get("Date"),
    };
  };

  // The first mark of each place that was tapped over something that nobody here had seen: another
  // device marked that person meanwhile.
  const overruled = (marks, others) => {
    const first = new Map();
    for (const mark of marks) if (!first.has(mark.enrolment)) first.set(mark.enrolment, mark);
    return [...first.values()].filter((mark) => {
      const other = others[mark.enrolment];
      return other && other.mark && other.mark !== mark.over;
    });
  };

  return { read, write, send, overruled };
})();
