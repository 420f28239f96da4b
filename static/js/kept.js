// What this browser remembers of its user, or (sessionStorage) this tab of it. Where it may keep
// nothing, it is forgotten with the page.

const here = new Map();

export function kept(name, where = "localStorage") {
  try {
    return window[where].getItem(name);
  } catch {
    return here.get(name) ?? null;
  }
}

export function keep(name, value, where = "localStorage") {
  here.set(name, value);
  try {
    window[where].setItem(name, value);
  } catch {
    // Cookies are blocked, or there is no room.
  }
}
