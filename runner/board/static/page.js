// Small helpers: elements, numbers as people read them, requests.

/** Returns an element with properties and children; texts are never read as HTML. */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(properties)) {
    if (key.includes('-')) made.setAttribute(key, value);
    else made[key] = value;
  }
  made.append(...children.filter(child => child !== null && child !== undefined));
  return made;
}

/** Returns a block of HTML that the server has made and sanitized. */
export function sanitized(html) {
  return element('div', {className: 'text', innerHTML: html});
}

/** A labelled choice of one of `values`, each [value, text]; `onChoose` gets the chosen value. */
export function choice(label, values, chosen, onChoose) {
  const options = values.map(([value, text]) => element('option', {value, textContent: text, selected: value === chosen}));
  const select = element('select', {onchange: event => onChoose(event.target.value), 'aria-label': label}, ...options);
  return element('label', {}, `${label} `, select);
}

/** Fetches JSON from a route of the tab; `parameters` are an object, or pairs. Throws an Error with the server's words. */
export async function get(route, parameters = {}) {
  const query = new URLSearchParams(parameters).toString();
  const answer = await fetch(query ? `${route}?${query}` : route);
  const content = await answer.json();
  if (!answer.ok) throw new Error(content.error ?? answer.statusText);
  return content;
}

/** A difference in the metric's unit, such as "+1.48" points or "-0.0533" nats; "-" where there is none. */
export function signed(value, {factor}) {
  if (value === null || value === undefined) return '-';
  const text = digits(value * factor, factor);
  return text.startsWith('-') || Number(text) === 0 ? text.replace(/^-(?=[0.]+$)/, '') : `+${text}`;
}

function digits(value, factor) {
  if (factor === 100) return value.toFixed(2);
  const size = Math.abs(value);
  if (size >= 1000) return Number(value.toPrecision(3)).toLocaleString('en');
  return value.toPrecision(3);
}

/** An estimate with its interval, such as "+1.48 [+0.61, +2.35]". */
export function withInterval({estimate, low, high}, scale) {
  const interval = low === null || low === undefined ? '' : ` [${signed(low, scale)}, ${signed(high, scale)}]`;
  return signed(estimate, scale) + interval;
}

/** A p as papers print it: ".012", "< .001"; "-" where there is none. */
export function pText(p) {
  if (p === null || p === undefined) return '-';
  return p < 0.001 ? '< .001' : p.toFixed(3).replace(/^0/, '');
}

/** A length of time, such as "3 min". */
export function duration(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/** A setting's value as it is written in a study. */
export function settingText(value) {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
