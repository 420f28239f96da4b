// What this browser remembers of its user. Where it may keep nothing, it is forgotten with the page.

const here = new Map();

export function kept(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return here.get(name) ?? null;
  }
}

export function keep(name, value) {
  here.set(name, value);
  try {
    localStorage.setItem(name, value);
  } catch {
    // Cookies are blocked, or there is no room.
  }
}
