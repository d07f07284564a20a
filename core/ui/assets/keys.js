(() => {
  if (window.guichetKeys) return;
  window.guichetKeys = true;
  const box = () => document.querySelector(".st-key-desk-search input");
  const panel = () => document.querySelector(".st-key-search-hits");
  const links = () => (panel() ? [...panel().querySelectorAll("a")] : []);
  const hide = (away) => { if (panel()) panel().style.display = away ? "none" : ""; };
  let wanted = null;

  /* Enter: the single hit itself, else the list of all; what was just typed may still be on its way. */
  const go = () => {
    const told = panel() && panel().querySelector("[data-term]");
    if (wanted === null || !told || told.dataset.term !== wanted) return;
    const all = links();
    const list = (link) => new URL(link.href).searchParams.get("q") === wanted; /* comes after the words: until then an older one stands there */
    const link = told.dataset.single ? all[0] : all.find(list);
    if (!link) return;
    wanted = null;
    box().blur(); /* so that the next key is a key again */
    link.click();
  };
  const enter = (term) => {
    wanted = term;
    go();
    setTimeout(() => {
      if (wanted === term) location.assign(new URL("customers?q=" + encodeURIComponent(term), document.baseURI));
    }, panel() ? 5000 : 2500);
  };
  new MutationObserver(() => { if (wanted !== null) go(); }).observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-term", "href"] });

  const inBox = (event) => {
    if (event.key === "Enter" && !event.isComposing && event.target.value.trim()) enter(event.target.value.trim());
    else if (event.key === "ArrowDown" && links().length) { event.preventDefault(); hide(false); links()[0].focus(); }
    else if (event.key === "Escape") hide(true);
  };
  const inHits = (event, at) => {
    const all = links();
    if (event.key === "ArrowDown") { event.preventDefault(); all[Math.min(at + 1, all.length - 1)].focus(); }
    else if (event.key === "ArrowUp") { event.preventDefault(); (at ? all[at - 1] : box()).focus(); }
    else if (event.key === "Escape") { hide(true); box().focus(); }
  };
  /* A drawer keeps the focus to itself: it is closed first, unless something is typed in it already. */
  const find = (tries = 40) => {
    const drawer = document.querySelector("[role=dialog]:not(dialog)");
    if (!drawer) { box().focus(); box().select(); return; }
    if (tries === 40) {
      if ([...drawer.querySelectorAll("input:not([type=checkbox], [type=radio]), textarea")].some((field) => field.value)) return;
      const close = drawer.querySelector("button[aria-label=Close]");
      if (close) close.click();
    }
    if (tries) setTimeout(find, 50, tries - 1);
  };
  const single = (event) => {
    const list = document.querySelector("dialog.g-keys");
    const drawer = event.key !== "/" && event.target.closest("[role=dialog]");
    const typing = drawer || event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable=true], [role=textbox], [role=combobox], [role=listbox]");
    if (!list || typing || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    const digit = /^[1-9]$/.test(event.key) ? event.key : !event.shiftKey && /^Digit[1-9]$/.test(event.code) ? event.code.slice(-1) : "";
    if (event.key === "?") { if (list.open) list.close(); else list.showModal(); }
    else if (list.open) return;
    else if (event.key === "/" && box()) find();
    else if (digit) {
      const tab = document.querySelectorAll(".st-key-tabs a")[digit - 1];
      if (!tab) return;
      tab.click();
    } else return;
    event.preventDefault();
  };
  document.addEventListener("keydown", (event) => {
    if (event.target === box()) return inBox(event);
    const at = links().indexOf(event.target);
    return at === -1 ? single(event) : inHits(event, at);
  });
  document.addEventListener("input", (event) => { if (event.target === box()) { wanted = null; hide(false); } });
  document.addEventListener("focusin", (event) => {
    if (panel() && !panel().contains(event.target)) hide(event.target !== box());
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("dialog.g-keys button")) event.target.closest("dialog").close();
    else if (panel() && event.target !== box() && !panel().contains(event.target)) hide(true);
  });
})();
