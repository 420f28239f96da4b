// Runs in both pages before their own scripts; window.limit is there in the plain one.
(() => {
  const probe = (window.probe = { blocked: 0, text: 0, seek: 0 });
  const $ = (id) => document.getElementById(id);
  const wait = (ms) => new Promise((ok) => setTimeout(ok, ms));
  const painted = () => new Promise((ok) => requestAnimationFrame(() => setTimeout(ok)));
  const rows = () => document.querySelectorAll("#rows li");
  const marked = () => document.querySelector("#rows [aria-current]");
  const startOf = (row) => Number(row.querySelector("a").getAttribute("href").match(/t=([\d.]+)/)[1]);
  const long = []; // tasks of over 50 ms
  const longSince = (begun) => long.filter((entry) => entry.startTime >= begun).length;
  const median = (list) => list.sort((a, b) => a - b)[list.length >> 1] ?? NaN;

  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      probe.blocked += Math.max(0, entry.duration - 50);
      long.push(entry);
    }
  }).observe({ type: "longtask", buffered: true });
  const look = () => {
    const row = document.querySelector("#rows li:nth-child(3)");
    if (row && !probe.text) requestAnimationFrame(() => setTimeout(() => (probe.text ||= performance.now())));
    if (probe.text && $("player")) { // nobody clicks what is not seen yet
      row.querySelector("span").click();
      if ($("player").currentTime > 0) return (probe.seek = performance.now());
    }
    setTimeout(look, 4);
  };
  look();

  const timed = async (act) => {
    const begun = performance.now();
    await act();
    await painted();
    return performance.now() - begun;
  };
  const again = async (act, undo) => {
    const took = [];
    for (let n = 0; n < 5; n++) {
      took.push(await timed(act));
      await undo?.();
      await wait(250);
    }
    return median(took);
  };

  probe.loaded = () => ({
    "first text painted, ms": probe.text,
    "first click that seeks, ms": probe.seek,
    "blocked while loading, ms": probe.blocked,
  });

  probe.seeking = async () => {
    const all = rows();
    const set = [];
    const shown = [];
    for (let n = 0; n < 15; n++) {
      const row = all[(n * 37 + 1) % 500]; // not the first: nothing is spoken before anybody plays
      const begun = performance.now();
      row.querySelector("span").click();
      while (Math.abs($("player").currentTime - startOf(row)) > 0.01) await wait(0);
      set.push(performance.now() - begun);
      while (marked() !== row) await wait(0);
      await painted();
      shown.push(performance.now() - begun);
      await wait(150);
    }
    return { "click -> currentTime, ms": median(set), "click -> highlighted, ms": median(shown) };
  };

  const late = [];
  let played = 0;
  probe.play = async () => {
    rows()[20].querySelector("span").click();
    await $("player").play();
    played = performance.now();
    new MutationObserver(() => {
      const row = marked();
      if (row) late.push(($("player").currentTime - startOf(row)) * 1000);
    }).observe($("rows"), { subtree: true, attributeFilter: ["aria-current"] });
  };
  probe.late = () => {
    $("player").pause();
    return { "long tasks while playing": longSince(played), "highlight late by, ms": median(late) };
  };

  const find = (words) => {
    if (window.limit) return limit.find(words);
    $("find-words").value = words;
    $("find-words").dispatchEvent(new InputEvent("input", { bubbles: true }));
  };
  const only = (on) => (window.limit ? limit.only(on) : $("find-only").checked === on || $("find-only").click());
  const swapped = () => new Promise((ok) => document.addEventListener("htmx:afterSettle", ok, { once: true }));
  const range = (start, end) => {
    if (window.limit) return limit.range(start, end);
    if (start === null) return void $("range-clear").click();
    $("range-start").value = start;
    $("range-end").value = end;
    $("range").requestSubmit();
  };

  probe.finding = async () => {
    const found = {};
    found["find one hit, ms"] = await again(() => find("needle"), () => find(""));
    found["find a common word, ms"] = await again(() => find("the"), () => find(""));
    find("window");
    await wait(300);
    found["only matching lines on, ms"] = await again(() => only(true), () => only(false));
    only(true);
    await wait(300);
    found["only matching lines off, ms"] = await again(() => only(false), () => only(true));
    only(false);
    find("");
    await wait(300);
    const length = rows().length * 3.6;
    const on = [];
    const settled = [];
    const off = [];
    for (let n = 0; n < 3; n++) {
      const answered = window.limit ? null : swapped();
      const begun = performance.now();
      on.push(await timed(() => range(length * 0.4, length * 0.6)));
      const [first] = rows(); // lies outside: it must be out of sight by now
      if (first.getClientRects().length) throw new Error("The range is not shown.");
      await answered;
      settled.push(performance.now() - begun);
      await wait(300);
      off.push(await timed(() => range(null, null)));
      await wait(300);
    }
    found["range on, ms"] = median(on);
    found["range on, all said, ms"] = median(settled);
    found["range off, ms"] = median(off);
    return found;
  };

  probe.scrolling = async () => {
    const height = document.documentElement.scrollHeight;
    const frames = [];
    const begun = performance.now();
    for (let last = begun, now = begun; now - begun < 5000; last = now) {
      scrollTo(0, (height * (now - begun)) / 5000);
      now = await new Promise(requestAnimationFrame);
      frames.push(now - last);
    }
    await wait(100); // the observer hears of a task after it
    const found = longSince(begun);
    scrollTo(0, 0);
    return {
      "dropped frames while scrolling, %": (100 * frames.filter((each) => each > 25).length) / frames.length,
      "long tasks while scrolling": found,
    };
  };
})();
