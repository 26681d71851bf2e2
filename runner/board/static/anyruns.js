// "Any runs": logs of other programs, grouped into variants and seeds by a pattern or by hparams.

import {COLORS, curvePlot, effectPlot, offScale} from './charts.js';
import {choice, element, get} from './page.js';

const AT = [['last', 'their last step'], ['best', 'each seed\'s best step'], ['step', 'the step']];
const MOST_CHIPS = 60;

/** What was asked for last; the server proposes what is empty. */
export const asked = {pattern: '', baseline: '', tags: [], at: 'last', step: ''};

/** Fetches the answer to what is asked. */
export function read() {
  const at = asked.at === 'step' ? asked.step || 'last' : asked.at;
  const parameters = [['pattern', asked.pattern], ['baseline', asked.baseline], ['at', at], ...asked.tags.map(tag => ['tag', tag])];
  return get('anyruns', parameters.filter(([, value]) => value !== ''));
}

/** Returns the elements of the page; `change` is called once something else is asked for. */
export function body(found, {width, change}) {
  const set = values => { Object.assign(asked, values); change(); };
  const isWide = width >= 1000;
  const own = isWide ? Math.floor((width - 32) / 2) : width;
  return [
    element('h1', {textContent: 'Any runs, grouped into variants and seeds'}),
    controls(found, set),
    ...found.remarks.map(text => element('p', {className: 'note', textContent: text})),
    groups(found),
    tags(found, set),
    ...Object.entries(found.shown).map(([tag, each]) => section(tag, each, found, own, isWide)),
  ];
}

function controls(found, set) {
  const pattern = element('input', {
    type: 'text', value: found.pattern, size: 34, 'aria-label': 'Pattern', spellcheck: false, placeholder: '{variant}/seed{seed}',
    onchange: event => set({pattern: event.target.value, baseline: ''}),
  });
  const button = (text, value) => (found.pattern === value || !value ? null : element('button', {textContent: text, onclick: () => set({pattern: value, baseline: ''})}));
  const names = found.variants.map(each => [each.name, each.name]);
  return element('div', {className: 'controls'},
    element('label', {title: 'Literal text with {variant} and {seed}; * stands for anything within one folder'}, 'Run names are ', pattern),
    button(`use ${found.proposed}`, found.proposed), button('by hparams', 'hparams'),
    names.length ? choice('Baseline', names, found.baseline, baseline => set({baseline})) : null,
    choice('Compare at', AT, asked.at, at => set({at})),
    asked.at === 'step' ? element('input', {type: 'number', value: asked.step, 'aria-label': 'Step', onchange: event => set({step: event.target.value})}) : null,
  );
}

function groups({variants}) {
  if (!variants.length) return null;
  const texts = variants.map(({name, seeds}) => `${name}: ${seeds.length} seed${seeds.length === 1 ? '' : 's'} (${seeds.slice(0, 12).join(', ')}${seeds.length > 12 ? ', …' : ''})`);
  return element('details', {'data-key': 'groups'},
    element('summary', {textContent: `${variants.length} variants`}),
    element('ul', {}, ...texts.map(textContent => element('li', {textContent}))),
  );
}

function tags({tags: all, shown}, set) {
  const chosen = Object.keys(shown);
  const chip = tag => element('button', {
    className: chosen.includes(tag) ? 'chip' : 'chip off', textContent: tag,
    onclick: () => set({tags: chosen.includes(tag) ? chosen.filter(each => each !== tag) : [...chosen, tag]}),
  });
  return all.length ? element('p', {className: 'chips'}, 'Tags: ', ...all.slice(0, MOST_CHIPS).map(chip)) : null;
}

function section(tag, {better, curves, effects}, found, width, isWide) {
  const names = found.variants.map(each => each.name);
  const others = names.filter(name => name !== found.baseline);
  const colors = name => (name === found.baseline ? 'var(--ink)' : COLORS[others.indexOf(name) % COLORS.length]);
  const lines = Object.fromEntries(Object.entries(curves).map(([name, line]) => [name, {...line, epoch: line.step}]));
  const log = better === 'min' && Object.values(lines).every(line => line.mean.every(value => value === null || value > 0));
  const rises = better === 'max';
  const off = offScale(lines, {log, rises});
  const rows = effects.filter(row => row.effect !== null && row.variant !== found.baseline).map(row => ({
    variant: row.variant, estimate: row.effect, low: row['effect low'], high: row['effect high'], n: row['effect n'],
    adjusted: row['effect p adjusted'], side: row.side, points: row.points,
  }));
  const caption = `${better === 'max' ? 'higher' : 'lower'} is better; color: significant after Holm's correction`;
  const plot = rows.length
    ? effectPlot(rows, {label: `variant minus ${found.baseline}`, scale: {factor: 1, unit: ''}, width, selected: '', onSelect: () => {}})
    : element('p', {className: 'soft', textContent: 'No effect: it takes the baseline and another variant.'});
  return element('section', {'data-tag': tag},
    element('h2', {textContent: tag}),
    element('p', {className: 'soft', textContent: `Means over the seeds with 95% bands${log ? ', log scale' : ''}. Effects: ${caption}.${off.length ? ` Off the scale: ${off.join(', ')}.` : ''}`}),
    element('div', {className: isWide ? 'columns even' : ''},
      element('figure', {}, legend(Object.keys(lines), colors), curvePlot(lines, {label: null, width, colors, log, rises, baseline: found.baseline, xLabel: 'step'})),
      element('figure', {className: 'effects'}, plot)),
  );
}

function legend(names, colors) {
  return element('p', {className: 'legend'}, ...names.slice(0, MOST_CHIPS).map(name => element('span', {}, element('i', {style: `background:${colors(name)}`}), name)));
}
