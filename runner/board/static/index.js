// The Ablations tab: fetches what the server computed, draws it, and follows a study while it trains.

import {asked, body as anyRuns, read as readAnyRuns} from './anyruns.js';
import {curvesSection, effectsSection, extrasSection, linksSection, progressSection, questionsSection} from './sections.js';
import {COLORS} from './charts.js';
import {choice, element, get} from './page.js';
import {fromAddress, onDark, onReload, toAddress} from './tensorboard.js';

const LIBRARIES = ['d3-7.9.2.min.js', 'plot-0.6.17.min.js'];
const EVERY = 5000; // milliseconds between two looks at a study's progress
const state = {mode: '', study: '', metric: '', variant: '', hidden: new Set(), dark: false, failed: ''};
const shown = {}; // the answers of the server: studies, progress, overview, effects, curves
let page;

/** Called by TensorBoard, which loads this module into the frame of the tab. */
export async function render() {
  document.head.append(element('link', {rel: 'stylesheet', href: 'static/style.css'}));
  for (const name of LIBRARIES) await script(`static/${name}`);
  COLORS.push(...(await get('palette')));
  page = element('main');
  document.body.append(page);
  const {tags, ...address} = fromAddress();
  for (const [key, value] of Object.entries(address)) {
    if (key in asked) asked[key] = value;
    else if (['mode', 'study', 'metric', 'variant'].includes(key)) state[key] = value;
  }
  if (tags) asked.tags = tags.split('\n');
  onDark(dark => {
    state.dark = dark;
    document.documentElement.classList.toggle('dark', dark);
    if (shown.studies || shown.any) draw();
  });
  onReload(() => refresh());
  await refresh();
  setInterval(() => document.visibilityState === 'visible' && refresh(), EVERY);
  let width = document.body.clientWidth;
  new ResizeObserver(() => {
    if (Math.abs(document.body.clientWidth - width) < 8) return;
    width = document.body.clientWidth;
    draw();
  }).observe(document.body);
}

function script(source) {
  return new Promise((resolve, reject) => {
    document.head.append(element('script', {src: source, onload: resolve, onerror: reject}));
  });
}

let refreshing = null;

/** Reads what has changed, and draws it. One refresh at a time; a second call waits for the first. */
function refresh() {
  refreshing ??= read().catch(failure).finally(() => { refreshing = null; });
  return refreshing;
}

function failure(error) {
  state.failed = error.message;
  draw();
}

async function read() {
  if (state.mode === 'any') {
    const found = JSON.stringify(await readAnyRuns());
    if (found === JSON.stringify(shown.any) && !state.failed) return;
    shown.any = JSON.parse(found);
    state.failed = '';
    draw();
    return;
  }
  const studies = await get('studies');
  const known = studies.includes(state.study) ? state.study : studies[0] ?? '';
  const isOther = known !== state.study || !shown.overview;
  state.study = known;
  const before = JSON.stringify([shown.studies, shown.progress, state.failed]);
  shown.studies = studies;
  state.failed = '';
  if (!known) {
    if (before !== JSON.stringify([studies, undefined, ''])) draw();
    return;
  }
  const ended = count(shown.progress);
  const progress = await get('progress', {study: known});
  if (!isOther && JSON.stringify([studies, progress, '']) === before) return;
  shown.progress = progress;
  if (isOther) draw(); // progress is there before the rest
  const routes = isOther || ended !== count(progress) ? ['overview', 'effects', 'curves', 'links'] : ['curves'];
  const answers = await Promise.all(routes.map(route => get(route, {study: known})));
  routes.forEach((route, i) => { shown[route] = answers[i]; });
  draw();
}

/** How many runs have ended, and how many have pictures: effects, verdicts and links change only with them. */
function count(progress) {
  return progress ? JSON.stringify([progress.counts.finished, progress.counts.failed, progress.runs, progress.pictured]) : '';
}

function draw() {
  const scroll = document.scrollingElement.scrollTop;
  const {overview} = shown;
  const metrics = overview?.metrics ?? [];
  if (!metrics.some(each => each.name === state.metric)) state.metric = metrics[0]?.name ?? state.metric;
  const open = [...page.querySelectorAll('details[open]')].map(each => each.dataset.key);
  const ready = overview && overview.name === state.study;
  page.replaceChildren(
    header(metrics),
    ...(state.failed ? [element('p', {className: 'warning', textContent: state.failed})] : []),
    ...content(overview, ready),
  );
  for (const each of page.querySelectorAll('details')) each.open = open.includes(each.dataset.key);
  document.scrollingElement.scrollTop = scroll;
  const {mode, study, metric, variant} = state;
  if (mode === 'any') toAddress({mode, ...asked, tags: asked.tags.join('\n'), at: asked.at === 'last' ? '' : asked.at});
  else toAddress({study, metric: metric === metrics[0]?.name ? '' : metric, variant});
}

function content(overview, ready) {
  const width = Math.min(document.body.clientWidth - 48, 1800);
  if (state.mode === 'any') return shown.any ? anyRuns(shown.any, {width, change: () => change({})}) : [];
  if (!shown.studies?.length) return [nothing()];
  return ready ? body(overview, width) : [];
}

function header(metrics) {
  const modes = [['', 'studies of this runner'], ['any', 'any runs']];
  const mode = choice('Show', modes, state.mode, value => change({mode: value}));
  if (state.mode === 'any') return element('header', {}, mode);
  return element('header', {}, mode,
    shown.studies?.length ? choice('Study', shown.studies.map(name => [name, name]), state.study, study => change({study})) : null,
    metrics.length ? choice('Metric', metrics.map(each => [each.name, each.label]), state.metric, metric => change({metric})) : null,
    shown.progress && state.study ? progressSection(shown.progress, shown.overview?.looks) : null,
  );
}

/** Changes what is shown; another study is read first. */
export function change(values) {
  const isOther = (values.study && values.study !== state.study) || 'mode' in values;
  Object.assign(state, values);
  if (state.mode === 'any') {
    refresh().then(refresh);
    return;
  }
  if (!isOther) {
    draw();
    return;
  }
  state.variant = '';
  state.hidden = new Set();
  for (const key of ['progress', 'overview', 'effects', 'curves']) delete shown[key];
  refresh().then(refresh);
}

function nothing() {
  return element('section', {className: 'empty'},
    element('h1', {textContent: 'No study yet'}),
    element('p', {}, 'Run ', element('code', {textContent: 'make ablations'}), '. The study shows here as soon as it begins.'),
    element('p', {}, 'Logs of other programs: ', element('button', {textContent: 'compare any runs', onclick: () => change({mode: 'any'})})),
  );
}

function body(overview, width) {
  const isWide = width >= 1150 && overview.questions.length > 0;
  const left = isWide ? Math.floor((width - 32) * 0.58) : width;
  const context = {...shown, state, change};
  const effects = effectsSection({...context, width: left});
  const questions = questionsSection({...context, width: isWide ? width - 32 - left : width});
  const rest = [curvesSection({...context, width: left}), ...extrasSection({...context, width: left}), linksSection(context)];
  return [
    element('h1', {textContent: overview.title}),
    ...overview.notes.map(html => element('div', {className: 'note', innerHTML: html})),
    ...(isWide
      ? [element('div', {className: 'columns', style: `grid-template-columns: ${left}px minmax(0, 1fr)`}, element('div', {}, effects, ...rest), questions)]
      : [effects, questions, ...rest]),
  ];
}
