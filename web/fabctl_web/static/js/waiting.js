// What tells of marks of attendance that wait in this browser, and sends them, is only fetched where
// some do: also when another page of this browser notes the first one.
(() => {
  "use strict";
  const notice = document.getElementById("unsent");
  if (!notice) return;
  let fetched = false;
  const look = () => {
    let waiting = false;
    try {
      waiting = Object.keys(localStorage).some((key) => key.startsWith("marks:"));
    } catch {
      waiting = false; // this browser keeps nothing: then nothing waits in it
    }
    if (fetched || !waiting) return;
    fetched = true;
    const script = document.createElement("script");
    script.src = notice.dataset.script;
    document.head.append(script);
  };
  look();
  window.addEventListener("storage", look);
})();
