// What TensorBoard and the tab tell each other. The tab is a frame of the same origin.

const PREFIX = 'p.ablations.'; // of the tab's own values in TensorBoard's address

/** Returns the tab's own part of the address, such as {study: "mlp-mnist5k"}. */
export function fromAddress() {
  const all = new URLSearchParams(window.parent.location.hash.slice(1));
  const own = [...all].filter(([key]) => key.startsWith(PREFIX));
  return Object.fromEntries(own.map(([key, value]) => [key.slice(PREFIX.length), value]));
}

/** Writes the tab's own part of the address, so that the page can be linked to. Empty values are left out. */
export function toAddress(values) {
  const parts = Object.entries(values).filter(([, value]) => value);
  const text = parts.map(([key, value]) => `&${PREFIX}${key}=${encodeURIComponent(value)}`).join('');
  const {pathname, search} = window.parent.location;
  window.parent.history.replaceState(window.parent.history.state, '', `${pathname}${search}#ablations${text}`);
}

/** Calls a function whenever TensorBoard reloads its data: one of its "experimental" messages over a MessageChannel. */
export function onReload(call) {
  const channel = new MessageChannel();
  channel.port1.addEventListener('message', ({data}) => {
    const {type, id, isReply} = JSON.parse(data);
    if (isReply) return;
    if (type === 'experimental.DataReloaded') call();
    channel.port1.postMessage(JSON.stringify({type, id, payload: null, error: null, isReply: true}));
  });
  channel.port1.start();
  window.parent.postMessage('experimental.bootstrap', '*', [channel.port2]);
}

/** Calls a function now and whenever the dark mode is switched. */
export function onDark(call) {
  const {body} = window.parent.document;
  const now = () => call(body.classList.contains('dark-mode'));
  new MutationObserver(now).observe(body, {attributes: true, attributeFilter: ['class']});
  now();
}
