// The list of one's sessions: says where marks of attendance wait in this browser. Opening the
// console sends them.
(() => {
  "use strict";
  for (const row of document.querySelectorAll("[data-kept]")) {
    let waits = false;
    try {
      const kept = JSON.parse(localStorage.getItem(row.dataset.kept) || "[]");
      waits = Array.isArray(kept) && kept.length > 0;
    } catch {
      waits = false; // this browser keeps nothing: then nothing waits in it
    }
    row.querySelector("[data-unsent]").hidden = !waits;
  }
})();
