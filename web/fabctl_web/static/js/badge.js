// Badge readers act as keyboards: many keys, a few milliseconds apart, then Enter. Keys are held
// back until it is clear who types, so that nothing of a number ever shows.
(() => {
  "use strict";
  const form = document.querySelector("form[data-badge]");
  if (!form) return;
  const GAP_MS = 50; // a person's keys are further apart
  const LEAST = 7; // longer than a PIN
  const MOST = 64;
  let keys = []; // of one burst: [what it counts as, what a person would have typed]
  let given = 0; // how many of them a person has got
  let field = null;
  let before = "";
  let last = -Infinity;
  let timer = 0;
  let sent = false;

  // By the key's place: readers are American keyboards, whatever layout the screen has.
  const counted = (event) => {
    const place = /^(?:Digit|Numpad|Key)([0-9A-Z])$/.exec(event.code);
    if (place) return place[1];
    return /^[0-9A-Za-z]$/.test(event.key) ? event.key.toUpperCase() : "";
  };
  const text = (element) => element && !element.readOnly && (element.tagName === "TEXTAREA"
    || element.matches("input:is([type=text], [type=password], [type=search], [type=tel], [type=email], [type=url], [type=number], :not([type]))"));

  const begin = () => {
    keys = [];
    given = 0;
    field = document.activeElement;
    before = text(field) ? field.value : "";
  };
  // A person typed: they get what was held back.
  const release = () => {
    clearTimeout(timer);
    if (given === keys.length) return;
    const typed = keys.slice(given).map(([, key]) => key);
    given = keys.length;
    const wakes = !document.dispatchEvent(new Event("typed", { cancelable: true }));
    if (wakes || !text(field)) return;
    for (const key of typed) put(key);
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
  };
  const put = (key) => {
    if (field.maxLength >= 0 && field.value.length >= field.maxLength) return;
    if (field.selectionStart === null) field.value += key; // numbers and mail have no cursor
    else field.setRangeText(key, field.selectionStart, field.selectionEnd, "end");
  };
  const take = (number) => {
    clearTimeout(timer);
    if (text(field)) field.value = before;
    keys = [];
    given = 0;
    if (sent) return;
    sent = true;
    form.elements.number.value = number;
    form.submit();
    form.elements.number.value = "";
  };

  document.addEventListener("keydown", (event) => {
    if (["Shift", "CapsLock", "NumLock"].includes(event.key)) return;
    const goesOn = keys.length > 0 && event.timeStamp - last <= GAP_MS && !event.repeat;
    if (event.key === "Enter" && goesOn && keys.length >= LEAST && keys.length <= MOST) {
      event.preventDefault();
      event.stopImmediatePropagation();
      take(keys.map(([one]) => one).join(""));
      return;
    }
    const one = counted(event);
    if (!goesOn || !one) release();
    if (!one || event.ctrlKey || event.altKey || event.metaKey) {
      keys = [];
      given = 0;
      return;
    }
    if (!goesOn) begin();
    last = event.timeStamp;
    keys.push([one, event.key]);
    if (keys.length === 1 && field && field.matches("select, input") && !text(field)) {
      given = 1; // lists and dates take keys in ways of their own
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    clearTimeout(timer);
    timer = setTimeout(release, GAP_MS + 10);
  }, { capture: true });
  // Whoever goes on to something else has typed before.
  for (const name of ["pointerdown", "focusout", "submit"]) {
    document.addEventListener(name, release, { capture: true });
  }
  window.addEventListener("pageshow", () => { sent = false; });
})();
