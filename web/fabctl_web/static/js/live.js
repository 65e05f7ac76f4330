// Live pages: one stream per page, a banner when it falls silent, polling when there is no room.
(() => {
  "use strict";
  const LATE_MS = 9000; // three beats; with the time between two looks, less than 10 s
  const LOOK_MS = 500;
  const RELOAD_MS = 60000;
  const POLL_MS = 10000;
  const POLL_LATE_MS = 13000;
  const banner = document.getElementById("stale");
  if (!banner) return;

  let heardAt = performance.now();
  let polling = null;
  let openedBefore = false;
  let asking = false;

  let leaving = false;
  window.addEventListener("beforeunload", () => { leaving = true; });
  const hear = () => { heardAt = performance.now(); };
  const refresh = () => htmx.trigger(document.body, "refresh");
  const stopPolling = () => { clearInterval(polling); polling = null; };
  const startPolling = () => {
    if (polling) return;
    refresh();
    polling = setInterval(refresh, POLL_MS);
  };

  // The extension asks here for its source: we listen along.
  htmx.createEventSource = (url) => {
    const source = new EventSource(url);
    source.addEventListener("open", () => {
      stopPolling();
      hear();
      if (openedBefore) refresh();
      openedBefore = true;
    });
    source.addEventListener("beat", hear);
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CLOSED && !leaving) startPolling();
    });
    return source;
  };

  document.body.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful && event.detail.requestConfig.verb === "get") hear();
  });

  // A page is loaded again only when the server answers: else a wall screen would end on the
  // browser's own error page and stay there.
  const reloadWhenBack = async () => {
    if (asking) return;
    asking = true;
    try {
      const answer = await fetch("/health", { cache: "no-store" });
      if (answer.ok) location.reload();
    } catch {
      // Still away: the banner stays and the next second asks again.
    }
    asking = false;
  };

  setInterval(() => {
    const silence = performance.now() - heardAt;
    const late = silence > (polling ? POLL_LATE_MS : LATE_MS);
    document.body.classList.toggle("stale", late);
    banner.hidden = !late;
    if (late) {
      const age = banner.querySelector("[data-age]");
      age.textContent = age.dataset.age.replace("{seconds}", String(Math.round(silence / 1000)));
    }
    if (silence > RELOAD_MS) reloadWhenBack();
  }, LOOK_MS);
})();
