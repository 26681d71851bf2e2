// The parts of the page, from top to bottom. Each returns an element.

import {COLORS, comparisonPlot, confusionPlot, contrastPlot, curvePlot, effectPlot, levelPlot, offScale} from './charts.js';
import {duration, element, pText, sanitized, settingText, withInterval} from './page.js';

const WORDS = {supported: 'Yes', refuted: 'No', 'practically equivalent': 'Equivalent', undecided: 'Undecided', waiting: 'Waiting'};
const ROOT = '../../../'; // from the tab's routes to TensorBoard's own page
const BASELINE = 'baseline';
const MOST_CURVES = 12;

/** How many runs have finished, train, failed or wait, and the time left; in a sequential design also the look. */
export function progressSection({counts, runs, seconds_left: left}, looks) {
  const order = ['finished', 'training', 'interrupted', 'failed', 'waiting'];
  const texts = order.filter(name => counts[name]).map(name => `${counts[name]} ${name}`);
  const time = left === null ? '' : `, about ${duration(left)} left`;
  const look = looks ? lookText(looks) : '';
  return element('span', {className: 'progress'},
    element('progress', {max: runs, value: (counts.finished ?? 0) + (counts.failed ?? 0)}),
    ` ${texts.join(', ')} of ${runs} runs${time}${look}`,
  );
}

function lookText({looks, next, open, decided}) {
  const questions = `${decided} questions decided`;
  if (!next) return ` · all looks taken: ${questions}`;
  return ` · on the way to look ${next} of ${looks.length} (${looks[next - 1]} seeds): ${questions}, ${open} open`;
}

function colorOf(overview) {
  const names = overview.variants.map(each => each.name);
  return name => (name === BASELINE ? 'var(--ink)' : COLORS[(names.indexOf(name) + COLORS.length - 1) % COLORS.length]);
}

/** The effect plot of the chosen metric; below it the chosen variant. */
export function effectsSection({overview, effects, progress, state, change, width}) {
  const metric = overview.metrics.find(each => each.name === state.metric);
  const section = element('section', {id: 'effects'});
  if (!metric) {
    section.append(element('h2', {textContent: 'Effects'}), element('p', {className: 'soft', textContent: 'No seed of both the baseline and another variant has finished yet.'}));
  } else {
    const rows = effects.filter(row => row.metric === metric.name && row['effect n'] > 0).map(row => ({
      variant: row.variant, estimate: row.effect, low: row['effect low'], high: row['effect high'], n: row['effect n'],
      adjusted: row['effect p adjusted'], side: row.side, points: metric.points[row.variant] ?? [],
    }));
    const unit = metric.unit ? `, ${metric.unit}` : '';
    section.append(
      element('h2', {textContent: `Effects on ${metric.label}`}),
      element('p', {className: 'soft', textContent: effectsText(progress, overview)}),
      effectPlot(rows, {label: `variant minus baseline${unit}`, scale: metric, width, selected: state.variant, onSelect: name => change({variant: name === state.variant ? '' : name})}),
    );
  }
  if (overview.variants.some(each => each.name === state.variant)) section.append(variantPanel(overview, effects, progress, state.variant, change));
  return section;
}

function effectsText({counts, runs}, {looks}) {
  const done = counts.finished ?? 0;
  const sofar = done + (counts.failed ?? 0) < runs ? `So far, with ${done} of ${runs} runs. ` : '';
  const level = looks ? 'Intervals are those of the questions, or 95% over the seeds of the first look.' : 'Lines are 95% intervals, paired by seed.';
  const color = looks ? 'Color: a question about this difference is answered yes or no.' : 'Color: significant after Holm\'s correction over the variants.';
  return `${sofar}${level} Small dots are single seeds. ${color} Click a variant for details.`;
}

function variantPanel(overview, effects, progress, name, change) {
  const variant = overview.variants.find(each => each.name === name);
  const close = element('button', {className: 'close', textContent: '×', title: 'close', 'aria-label': 'close', onclick: () => change({variant: ''})});
  const changed = Object.entries(variant.changes);
  const settings = changed.length
    ? table(['setting', BASELINE, name], changed.map(([key, [before, now]]) => [key, settingText(before), settingText(now)]))
    : element('p', {textContent: name === BASELINE ? 'This is the baseline.' : 'Only its random numbers differ from the baseline.'});
  const own = effects.filter(row => row.variant === name && row['effect n'] > 0);
  const rows = own.map(row => {
    const metric = overview.metrics.find(each => each.name === row.metric);
    const effect = withInterval({estimate: row.effect, low: row['effect low'], high: row['effect high']}, metric);
    return [metric.label, `${effect} ${metric.unit}`.trim(), pText(row['effect p adjusted']), row['effect n']];
  });
  return element('aside', {id: 'variant'}, close,
    element('h3', {textContent: name}), settings,
    rows.length ? table(['effect on', 'variant minus baseline', 'p after Holm', 'n'], rows) : null,
    element('h4', {textContent: 'Seeds'}), seeds(progress.variants[name] ?? []),
    element('h4', {textContent: 'Its runs in the other dashboards, beside the baseline\'s'}),
    element('p', {className: 'links'}, ...variant.links.map(link)),
  );
}

const link = ([label, fragment]) => element('a', {href: ROOT + fragment, target: '_parent', textContent: label});

/** Links into the other dashboards, for all studies of the log directory. */
export function linksSection({links}) {
  return element('section', {id: 'links'},
    element('h2', {textContent: 'In the other dashboards'}),
    element('ul', {className: 'links'}, ...links.map(each => element('li', {}, link(each)))));
}

function stateText({state, epoch, epochs, cause}) {
  if ((state === 'training' || state === 'interrupted') && epochs) return `${state}, epoch ${epoch} of ${epochs}`;
  return state === 'failed' ? `failed: ${cause}` : state;
}

function seeds(states) {
  const groups = new Map();
  for (const each of states) groups.set(stateText(each), [...(groups.get(stateText(each)) ?? []), each.seed]);
  return element('ul', {}, ...[...groups].map(([what, numbers]) => element('li', {textContent: `${what}: seed${numbers.length > 1 ? 's' : ''} ${numbers.join(', ')}`})));
}

const cells = (tag, values) => values.map(value => element(tag, {textContent: value}));

function table(heads, rows) {
  return element('table', {},
    element('thead', {}, element('tr', {}, ...cells('th', heads))),
    element('tbody', {}, ...rows.map(row => element('tr', {}, ...cells('td', row)))),
  );
}

/** The declared questions: verdict, one sentence, the interval; each opens to the detail of the report. */
export function questionsSection({overview, width}) {
  const items = overview.questions.map((question, number) => {
    const plot = comparisonPlot(question, Math.min(240, Math.floor(width * 0.42)));
    const badge = element('span', {className: `badge ${question.answer.replace(' ', '-')}`, textContent: WORDS[question.answer] ?? question.answer});
    const first = question.comparisons[0];
    const several = question.comparisons.length > 1 ? ` and ${question.comparisons.length - 1} more` : '';
    const numbers = first ? `${first.label}: ${withInterval(first, question)} ${question.unit}`.trim() + `, n = ${first.n}${several}` : '';
    return element('li', {className: 'question'},
      element('div', {className: 'ask'}, badge, element('b', {textContent: question.ask}), question.exploratory ? element('i', {textContent: ' exploratory'}) : null),
      element('div', {className: 'beside'},
        element('div', {}, sanitized(question.said), numbers ? element('div', {className: 'soft', textContent: `${question.label}, ${numbers}`}) : null),
        plot),
      question.detail ? element('details', {'data-key': `question ${number}`}, element('summary', {textContent: 'details'}), sanitized(question.detail)) : null,
    );
  });
  const empty = element('p', {className: 'soft', textContent: 'This study declares no questions, so there are no verdicts.'});
  const looks = overview.looks?.table ? element('details', {'data-key': 'looks'}, element('summary', {textContent: 'the looks, and what they cost'}), sanitized(overview.looks.table)) : null;
  return element('section', {id: 'questions'}, element('h2', {textContent: 'Questions'}), looks, items.length ? element('ol', {}, ...items) : empty);
}

/** Means with bands over the epochs. Chips hide and show variants; the baseline is always there. */
export function curvesSection({overview, curves, state, change, width}) {
  const wide = width >= 640;
  const section = element('section', {id: 'curves'}, element('h2', {textContent: 'Learning curves'}));
  const names = overview.variants.map(each => each.name).filter(name => Object.values(curves.curves).some(lines => name in lines));
  if (!names.length) {
    section.append(element('p', {className: 'soft', textContent: 'No epoch has ended yet.'}));
    return section;
  }
  const colors = colorOf(overview);
  const ranked = [...overview.order.filter(name => names.includes(name)), ...names.filter(name => !overview.order.includes(name))];
  const first = new Set(state.hidden.size || ranked.length <= MOST_CURVES ? ranked : ranked.slice(0, MOST_CURVES - 1));
  const isShown = name => name === BASELINE || (first.has(name) && !state.hidden.has(name));
  const toggle = name => {
    const hidden = new Set(state.hidden.size ? state.hidden : ranked.filter(each => !isShown(each)));
    hidden.delete('');
    if (!hidden.delete(name)) hidden.add(name);
    change({hidden: hidden.size ? hidden : new Set([''])});
  };
  section.append(
    element('p', {className: 'soft', textContent: 'Means over the seeds with 95% bands. A seed that stopped early keeps its last value; one that is training counts as far as it is.'}),
    element('p', {className: 'chips'}, ...ranked.map(name => element('button', {className: isShown(name) ? 'chip' : 'chip off', title: name, onclick: () => toggle(name)}, element('i', {style: `background:${colors(name)}`}), name))),
  );
  const own = wide ? Math.floor((width - 24) / 2) : width;
  const figures = Object.entries(curves.curves).map(([curve, lines]) => {
    const chosen = Object.fromEntries(names.filter(name => isShown(name) && name in lines).map(name => [name, lines[name]]));
    const {x, percent, log, rises} = curves.axes[curve];
    const off = offScale(chosen, {log, percent, rises});
    return element('figure', {'data-curve': curve},
      element('figcaption', {}, curves.labels[curve] + (log ? ', log scale' : ''), off.length ? element('span', {className: 'soft', textContent: ` (off the scale: ${off.join(', ')})`}) : null),
      curvePlot(chosen, {label: null, width: own, colors, log, percent, rises, baseline: BASELINE, xLabel: x}),
    );
  });
  section.append(element('div', {className: wide ? 'columns even' : ''}, ...figures));
  return section;
}

/** Main effects and interactions, the main metric over levels, and the confusion difference, where the study has them. */
export function extrasSection({overview, state, width}) {
  const wide = width >= 700;
  const found = [];
  if (overview.contrasts.length) {
    found.push(element('section', {id: 'contrasts'}, element('h2', {textContent: 'Main effects and interactions'}),
      element('p', {className: 'soft', textContent: 'Averaged over the levels of the other settings. 95% intervals, p not corrected. × is an interaction: how much one setting changes the effect of the other.'}),
      contrastPlot(overview.contrasts.map(each => ({...each, label: each.label.replace(' x ', ' × ')})), overview.main, Math.min(width, 1000))));
  }
  if (overview.levels.length) {
    const figures = overview.levels.map(each => element('figure', {}, levelPlot(each, overview.main, {width: wide ? Math.floor((width - 24) / 2) : width, colors: number => COLORS[number % COLORS.length]})));
    found.push(element('section', {id: 'levels'}, element('h2', {textContent: overview.main.factor === 100 ? 'Accuracy over levels' : `${overview.main.label} over levels`}), element('div', {className: wide ? 'columns even' : ''}, ...figures)));
  }
  if (overview.confusion) {
    const {classes, shares, difference, other} = overview.confusion;
    const own = Math.min(640, wide ? Math.floor((width - 24) / 2) : width);
    const figure = (text, matrix, isDifference) => element('figure', {}, element('figcaption', {textContent: text}), confusionPlot(matrix, classes, {width: own, difference: isDifference, dark: state.dark}));
    found.push(element('section', {id: 'confusion'}, element('h2', {textContent: 'Confusion on test, all seeds'}),
      element('div', {className: wide ? 'columns even' : ''},
        figure(`${BASELINE}: % of each true class`, shares, false),
        figure(`${other} minus ${BASELINE}, points`, difference, true))));
  }
  return found;
}
