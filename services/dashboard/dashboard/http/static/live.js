"use strict";
// Keeps the parts marked data-live as the server would show them now. Everything works without it.

const SETTLE_MS = 1200; // what an event tells of may be written a moment later
const QUICK_MS = 120;
const RETRY_MS = 2000;
const LOOK_MS = 15000; // a service that dies sends no event
const settings = { sound: false, badge: true, ...stored() };
let readAt = new Date();
let timer = null;
let again = null;
let reading = false;
let failed = false;
let quiet = false;

function stored() {
  try { return JSON.parse(localStorage.getItem("settings")) || {}; } catch { return {}; }
}

const clock = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });

function localise(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    time.textContent = clock.format(at);
    time.title = exact.format(at);
  }
  for (const zone of root.querySelectorAll("[data-zone]")) {
    zone.textContent = Intl.DateTimeFormat().resolvedOptions().timeZone;
  }
}

function say(text) {
  const line = document.getElementById("connection");
  if (!line) return;
  line.hidden = !text;
  if (line.textContent !== text) line.textContent = text;
}

function stand() {
  if (failed) say(`No connection to the server. What you see is of ${clock.format(readAt)}; trying again.`);
  else if (quiet) say("Live updates are interrupted: the message broker cannot be reached. This page reads anew every few seconds.");
  else say("");
}

// What cannot be read now is said above what was read last.
function note(old, missing) {
  if (old.querySelector("[data-missing]")) return;
  const notice = document.importNode(missing, true);
  notice.append(` What you see is of ${clock.format(readAt)}.`);
  const heading = old.querySelector("h2");
  if (heading) heading.after(notice);
  else old.prepend(notice);
}

// Forms keep what was typed, disclosure widgets stay as they are, and focus stays where it was.
function replace(old, fresh) {
  const missing = fresh.querySelector("[data-missing]");
  if (missing && old.textContent.trim()) { note(old, missing); return; }
  for (const details of fresh.querySelectorAll("details[id]")) {
    const known = document.getElementById(details.id);
    if (known && known.open) details.open = true;
  }
  for (const input of fresh.querySelectorAll("input[id]:not([type=hidden]), textarea[id]")) {
    const known = document.getElementById(input.id);
    if (known && known.value) input.value = known.value;
  }
  localise(fresh);
  if (old.innerHTML === fresh.innerHTML) return;
  const focused = old.contains(document.activeElement) ? path(old, document.activeElement) : null;
  old.replaceWith(fresh);
  const target = focused && find(fresh, focused);
  if (!target) return;
  target.focus({ preventScroll: true });
  if (focused.selection) target.setSelectionRange(...focused.selection);
}

function path(root, element) {
  const steps = [];
  for (let at = element; at !== root; at = at.parentElement) {
    steps.unshift([...at.parentElement.children].indexOf(at));
  }
  const typed = element.matches("textarea, input[type=text], input:not([type])");
  const selection = typed ? [element.selectionStart, element.selectionEnd] : null;
  return { steps, selection, id: element.id, href: element.getAttribute("href") };
}

function find(root, { steps, id, href }) {
  if (id) return root.querySelector(`#${CSS.escape(id)}`);
  if (href) return root.querySelector(`[href="${CSS.escape(href)}"]`);
  return steps.reduce((at, step) => at && at.children[step], root);
}

async function read() {
  if (reading) { soon(QUICK_MS); return; }
  reading = true;
  try {
    const regions = [...document.querySelectorAll("[data-live]")];
    const sources = new Set(regions.map((region) => region.dataset.src || location.href));
    for (const source of sources) {
      const answer = await fetch(source, { signal: AbortSignal.timeout(15000) });
      if (answer.redirected && new URL(answer.url).pathname === "/app/sign-in") { location.reload(); return; }
      if (answer.status >= 500) throw new Error(String(answer.status));
      if (!answer.ok) continue;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const region of document.querySelectorAll("[data-live]")) {
        if ((region.dataset.src || location.href) !== source) continue;
        const found = fresh.getElementById(region.id);
        if (found) replace(region, document.importNode(found, true));
      }
    }
    readAt = new Date();
    failed = false;
    countOpen();
  } catch {
    failed = true;
    soon(RETRY_MS);
  } finally {
    reading = false;
    stand();
  }
}

function soon(ms) {
  if (timer === null) timer = setTimeout(() => { timer = null; read(); }, ms);
}

function countOpen() {
  const count = document.getElementById("open-count");
  if (!count) return;
  const open = Number(count.dataset.open);
  const bare = document.title.replace(/^\(\d+\) /, "");
  document.title = settings.badge && open ? `(${open}) ${bare}` : bare;
}

function ring() {
  if (settings.badge && !document.getElementById("open-count")) {
    document.title = `(!) ${document.title.replace(/^\(!\) /, "")}`;
  }
  if (!settings.sound) return;
  const audio = new AudioContext();
  const tone = audio.createOscillator();
  const level = audio.createGain();
  level.gain.setValueAtTime(0.2, audio.currentTime);
  level.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + 0.6);
  tone.frequency.value = 660;
  tone.connect(level).connect(audio.destination);
  tone.start();
  tone.stop(audio.currentTime + 0.6);
}

function heard(event) {
  const kind = event.type.split(".")[0];
  if (kind === "quiet") { quiet = true; stand(); return; }
  if (kind === "live") quiet = false;
  if (kind === "safety") ring();
  const wanted = [...document.querySelectorAll("[data-live]")].flatMap((region) => region.dataset.live.split(" "));
  if (["gap", "live"].includes(kind) || wanted.includes(kind)) {
    soon(QUICK_MS);
    clearTimeout(again);
    again = setTimeout(read, SETTLE_MS);
  }
}

function listen() {
  const source = new EventSource(document.body.dataset.events);
  source.onmessage = (message) => heard(JSON.parse(message.data));
  // The browser tries again by itself, unless the answer was no stream.
  source.onerror = () => {
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, RETRY_MS);
    soon(RETRY_MS);
  };
}

function checked(input) {
  input.value = input.value.trimStart();
  const wrong = document.getElementById(`${input.id}-wrong`);
  const fits = input.value === "" || input.checkValidity();
  wrong.textContent = fits ? "" : input.dataset.wrong;
  input.setAttribute("aria-invalid", String(!fits));
}

document.addEventListener("input", ({ target }) => {
  if (target.matches("input[data-wrong]")) checked(target);
});
document.addEventListener("change", ({ target }) => {
  if (!target.matches("[data-setting]")) return;
  settings[target.dataset.setting] = target.checked;
  localStorage.setItem("settings", JSON.stringify(settings));
  countOpen();
});
document.addEventListener("click", async ({ target }) => {
  if (!target.matches("[data-copy]")) return;
  const field = document.getElementById(target.dataset.copy);
  field.select();
  await navigator.clipboard.writeText(field.value);
  target.textContent = "Copied";
});

localise(document);
countOpen();
for (const box of document.querySelectorAll("[data-setting]")) box.checked = settings[box.dataset.setting];
if (document.body.dataset.events) {
  listen();
  setInterval(() => {
    if (document.querySelector("[data-again]")) location.reload();
    if (quiet || document.querySelector("[data-missing]")) read();
    stand();
  }, 5000);
  setInterval(() => { if (!document.hidden) read(); }, LOOK_MS);
}
