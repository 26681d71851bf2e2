// Draws the charts with Observable Plot. What they show is computed by the server; nothing is decided here.
/* global Plot */

import {pText, withInterval} from './page.js';

const STYLE = {background: 'transparent', color: 'var(--ink)', fontSize: '12px', overflow: 'visible'};
/** The colors of variants, which the server sends; the baseline has the color of the text. */
export const COLORS = [];
const SIDES = {better: 'var(--better)', worse: 'var(--worse)', '': 'var(--open)'};

/** Returns half the width of an axis that shows most effects well: a disaster must not squash the others. */
function focus(rows) {
  const sizes = rows.map(row => Math.max(...[row.estimate, row.low, row.high].map(each => Math.abs(each ?? 0))));
  const bounds = sizes.toSorted((a, b) => a - b);
  const typical = bounds[Math.floor((Math.ceil((bounds.length * 3) / 4) - 1) / 2)] ?? 0;
  return 1.12 * Math.max(...bounds.filter(bound => bound <= 4 * typical), typical, 1e-9);
}

const within = (value, limit) => Math.min(Math.max(value, -limit), limit);
const color = row => SIDES[row.side] ?? SIDES[''];
const middle = values => values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)];
const levelText = value => (value === null ? 'no limit' : String(value));
const named = (name, most = 26) => (name.length > most ? `${name.slice(0, most - 1)}…` : name);

/**
 * The effect plot: variants sorted, the interval as a line, each seed's difference as a dot. Effects beyond the axis are
 * written at its edge. `rows` have variant, estimate, low, high, n, side, adjusted and points (seed, difference).
 */
export function effectPlot(rows, {label, scale, width, selected, onSelect}) {
  const sorted = [...rows].toSorted((a, b) => b.estimate - a.estimate);
  const limit = focus(rows) * scale.factor;
  const scaled = sorted.map(row => ({
    ...row,
    x: row.estimate * scale.factor,
    x1: within((row.low ?? row.estimate) * scale.factor, limit),
    x2: within((row.high ?? row.estimate) * scale.factor, limit),
    title: `${row.variant}\n${withInterval(row, scale)} ${scale.unit}\nn = ${row.n}, p ${pText(row.adjusted)} after Holm`,
  }));
  const inside = scaled.filter(row => Math.abs(row.x) <= limit);
  const outside = scaled.filter(row => Math.abs(row.x) > limit);
  const dots = inside.flatMap(row => row.points.map(point => ({...point, variant: row.variant, x: point.difference * scale.factor})));
  const shown = dots.filter(dot => Math.abs(dot.x) <= limit);
  const plot = Plot.plot({
    width, height: 56 + (rows.length > 30 ? 18 : 30) * rows.length, marginLeft: 170, marginRight: scale.factor === 1 ? 230 : 190, marginTop: 10, marginBottom: 40, style: STYLE,
    x: {domain: [-limit, limit], label, labelAnchor: 'center', grid: true},
    y: {domain: sorted.map(row => row.variant), label: null, tickFormat: name => named(name), tickSize: 0},
    marks: [
      Plot.ruleX([0], {stroke: 'var(--ink)'}),
      Plot.barX(scaled.filter(row => row.variant === selected), {x1: -limit, x2: limit, y: 'variant', fill: 'var(--chosen)', insetTop: -2, insetBottom: -2}),
      Plot.ruleY(inside, {x1: 'x1', x2: 'x2', y: 'variant', stroke: color, strokeWidth: 3, strokeOpacity: 0.55, strokeLinecap: 'round'}),
      Plot.dot(shown, {x: 'x', y: 'variant', r: rows.length > 30 ? 1.4 : 2.2, fill: 'var(--ink)', fillOpacity: 0.45, dy: rows.length > 30 ? 5 : 8, className: 'seeds'}),
      Plot.dot(inside, {x: 'x', y: 'variant', r: 5, fill: color, className: 'effects'}),
      Plot.text(inside, {x: limit, y: 'variant', dx: 8, textAnchor: 'start', fill: color, className: 'numbers', text: row => `${withInterval(row, scale)}, n = ${row.n}`}),
      Plot.text(outside.filter(row => row.x < 0), {
        x: -limit, y: 'variant', dx: 4, textAnchor: 'start', fill: color, className: 'off-scale',
        text: row => `◀ ${withInterval(row, scale)}`,
      }),
      Plot.text(outside.filter(row => row.x > 0), {
        x: limit, y: 'variant', dx: -4, textAnchor: 'end', fill: color, className: 'off-scale',
        text: row => `${withInterval(row, scale)} ▶`,
      }),
      Plot.tip(inside, Plot.pointerY({x: 'x', y: 'variant', title: 'title'})),
    ],
  });
  plot.addEventListener('click', event => {
    const {top} = plot.getBoundingClientRect();
    const y = plot.scale('y');
    const away = row => Math.abs(y.apply(row.variant) + y.bandwidth / 2 - (event.clientY - top));
    const nearest = scaled.reduce((best, row) => (!best || away(row) < away(best) ? row : best), null);
    if (nearest) onSelect(nearest.variant);
  });
  return plot;
}

/** A question's differences: intervals around zero; the shaded band is what is too small to matter. */
export function comparisonPlot(question, width) {
  const {factor} = question;
  const rows = question.comparisons.filter(row => row.estimate !== null).slice(0, 6);
  if (!rows.length) return null;
  const small = (question.smallest ?? 0) * factor;
  const limit = Math.max(focus(rows) * factor, 1.6 * small);
  const bars = rows.map(row => ({
    ...row,
    x: within(row.estimate * factor, limit),
    x1: within((row.low ?? row.estimate) * factor, limit),
    x2: within((row.high ?? row.estimate) * factor, limit),
  }));
  return Plot.plot({
    width, height: 26 + 15 * rows.length, marginLeft: 8, marginRight: 8, marginTop: 2, marginBottom: 20, style: {...STYLE, fontSize: '11px'},
    x: {domain: [-limit, limit], label: null, ticks: 3, tickFormat: limit >= 1000 ? 's' : undefined}, y: {axis: null, domain: rows.map(row => row.label)},
    marks: [
      small ? Plot.rectX([small], {x1: -small, x2: small, fill: 'var(--small)'}) : null,
      Plot.ruleX([0], {stroke: 'var(--ink)'}),
      Plot.ruleY(bars, {x1: 'x1', x2: 'x2', y: 'label', stroke: 'var(--accent)', strokeWidth: 2.5, strokeOpacity: 0.6}),
      Plot.dot(bars, {x: 'x', y: 'label', r: 4, fill: 'var(--accent)', title: row => `${row.label}\n${withInterval(row, question)} ${question.unit}, n = ${row.n}`}),
    ],
  });
}

/**
 * Returns the ends of the axis for curves: where the variants in the middle are, so that one that diverged or never
 * learned does not squash the others. Curves that rise begin where the middle variant is after its first tenth, those of
 * shares (`percent`) a little below. Loss curves end above the middle variant's highest.
 */
export function curveLimits(lines, {log, percent, rises}) {
  const each = Object.values(lines).map(line => line.mean.filter(value => value !== null && (!log || value > 0))).filter(means => means.length);
  if (!each.length) return percent ? [0, 1] : [0.1, 1];
  const highest = Math.max(...each.flat());
  const lowest = Math.min(...each.flat());
  if (percent) return [Math.max(0, Math.min(Math.floor((middle(each.map(means => means[Math.floor(means.length / 10)])) - 0.1) * 20) / 20, 0.9)), Math.min(1, highest + 0.01)];
  const early = middle(each.map(means => means[Math.floor(means.length / 10)]));
  if (rises && early < highest) return [early, highest + 0.04 * (highest - early)];
  return [lowest, Math.max(1.2 * middle(each.map(means => Math.max(...means))), 1.01 * lowest)];
}

/** Returns the names of the variants that are off such an axis at their last epoch. */
export function offScale(lines, options) {
  const [low, high] = curveLimits(lines, options);
  return Object.keys(lines).filter(name => {
    const last = lines[name].mean.at(-1);
    return last === null || last < low || last > high;
  });
}

/** Curves: a line and a 95% band for each variant. `lines` is {variant: {epoch, mean, low, high, n}}. */
export function curvePlot(lines, {label, width, colors, log, percent, rises, baseline, xLabel = 'epoch'}) {
  const rows = Object.entries(lines).flatMap(([variant, line]) =>
    line.epoch.map((epoch, i) => ({variant, epoch, mean: line.mean[i], low: line.low[i], high: line.high[i], n: line.n[i]})));
  const drawn = rows.filter(row => row.mean !== null && (!log || row.mean > 0));
  const least = Math.min(...drawn.map(row => row.mean));
  const bands = drawn.filter(row => row.low !== null && row.high !== null)
    .map(row => ({...row, low: log ? Math.max(row.low, least / 2) : row.low}));
  const number = value => (percent ? `${(100 * value).toFixed(2)}%` : value.toPrecision(4));
  const title = row => {
    const half = row.low === null ? '' : ` [${number(row.low)}, ${number(row.high)}]`;
    return `${row.variant}\n${xLabel} ${row.epoch}: ${number(row.mean)}${half}\nn = ${row.n}`;
  };
  const domain = curveLimits(lines, {log, percent, rises});
  return Plot.plot({
    width, height: 270, marginRight: 16, marginLeft: 48, marginBottom: 38, style: STYLE,
    x: {label: xLabel, labelAnchor: 'center'},
    y: {label, grid: !log, type: log ? 'log' : 'linear', domain, ticks: log ? 4 : 6, tickFormat: value => (percent ? `${Math.round(100 * value)}%` : String(Number(value.toPrecision(3))))},
    color: {domain: Object.keys(lines), range: Object.keys(lines).map(name => colors(name))},
    marks: [
      Plot.areaY(bands, {x: 'epoch', y1: 'low', y2: 'high', fill: 'variant', fillOpacity: 0.14, z: 'variant', clip: true}),
      Plot.lineY(drawn, {x: 'epoch', y: 'mean', stroke: 'variant', strokeWidth: row => (row.variant === baseline ? 3 : 1.8), z: 'variant', className: 'lines', clip: true}),
      Plot.tip(drawn, Plot.pointer({x: 'epoch', y: 'mean', title})),
    ],
  });
}

/** Main effects and interactions of a factorial design, on the main metric. */
export function contrastPlot(rows, main, width) {
  const {factor} = main;
  const unit = main.unit ? `, ${main.unit}` : '';
  const limit = factor * focus(rows);
  const bars = rows.filter(row => row.estimate !== null).map(row => ({
    ...row, x: factor * row.estimate,
    x1: within(factor * (row.low ?? row.estimate), limit), x2: within(factor * (row.high ?? row.estimate), limit),
  }));
  const inside = bars.filter(row => Math.abs(row.x) <= limit);
  return Plot.plot({
    width, height: 56 + 26 * bars.length, marginLeft: Math.min(260, width * 0.35), marginRight: 150, marginTop: 8, marginBottom: 40, style: STYLE,
    x: {domain: [-limit, limit], label: `effect on ${main.label}${unit}`, labelAnchor: 'center', grid: true},
    y: {domain: bars.map(row => row.label), label: null, tickSize: 0, tickFormat: name => named(name, 40)},
    marks: [
      Plot.ruleX([0], {stroke: 'var(--ink)'}),
      Plot.ruleY(inside, {x1: 'x1', x2: 'x2', y: 'label', stroke: 'var(--accent)', strokeWidth: 3, strokeOpacity: 0.5}),
      Plot.dot(inside, {x: 'x', y: 'label', r: 4.5, fill: 'var(--accent)'}),
      Plot.text(bars, {x: limit, y: 'label', dx: 8, textAnchor: 'start', text: row => withInterval(row, main)}),
    ],
  });
}

/** The main metric over the levels of one setting. Levels are evenly spaced; null means no limit. */
export function levelPlot({setting, lines}, main, {width, colors}) {
  const number = (value, digits) => (main.factor === 100 ? `${(100 * value).toFixed(digits)}%` : String(Number(value.toPrecision(4))));
  const rows = lines.flatMap(line => line.points.map(point => ({...point, line: line.label, at: levelText(point.level)})));
  const order = [...new Set(rows.map(row => row.level))].toSorted((a, b) => (a ?? Infinity) - (b ?? Infinity)).map(levelText);
  const bands = rows.filter(row => row.low !== null);
  return Plot.plot({
    width, height: 260, marginLeft: 52, style: STYLE,
    x: {type: 'point', domain: order, label: setting, labelAnchor: 'center'},
    y: {label: main.label, grid: true, tickFormat: value => number(value, 1)},
    color: {domain: lines.map(line => line.label), range: lines.map((_, i) => colors(i)), legend: lines.length > 1},
    marks: [
      Plot.ruleX(bands, {x: 'at', y1: 'low', y2: 'high', stroke: 'line', strokeWidth: 2, strokeOpacity: 0.5}),
      Plot.lineY(rows, {x: 'at', y: 'estimate', stroke: 'line', z: 'line', strokeWidth: 1.6}),
      Plot.dot(rows, {x: 'at', y: 'estimate', fill: 'line', r: 4, tip: true, title: row => `${row.variant}\n${number(row.estimate, 2)}, n = ${row.n}`}),
    ],
  });
}

/** The confusion matrix on test as shares of each true class, or a difference of two in points. */
export function confusionPlot(matrix, classes, {width, difference, dark}) {
  const cells = matrix.flatMap((row, i) => row.map((value, j) => ({true: classes[i], predicted: classes[j], value: 100 * value})));
  const limit = difference ? Math.max(5, ...cells.map(cell => Math.abs(cell.value))) : 100;
  const many = classes.length > 20;
  const text = value => (difference && value > 0 ? '+' : '') + value.toFixed(0);
  const shade = difference
    ? {domain: [-limit, limit], type: 'diverging', scheme: 'RdBu', pivot: 0}
    : {domain: [0, limit], type: 'sqrt', range: dark ? ['#202124', '#8ab4f8'] : ['#ffffff', '#08519c']};
  const strong = cell => Math.abs(cell.value) > 0.55 * limit;
  return Plot.plot({
    width, height: width * 0.86, marginLeft: 76, marginBottom: 76, style: {...STYLE, fontSize: '11px'}, padding: 0,
    x: {domain: classes, label: 'predicted class', labelAnchor: 'center', tickRotate: -45, tickSize: 0, axis: many ? null : 'bottom', tickFormat: name => named(name, 12)},
    y: {domain: classes, label: 'true class', tickSize: 0, axis: many ? null : 'left', tickFormat: name => named(name, 12)},
    color: shade,
    marks: [
      Plot.cell(cells, {x: 'predicted', y: 'true', fill: 'value', title: cell => `${cell.true} predicted as ${cell.predicted}\n${cell.value.toFixed(1)}${difference ? ' points' : '%'}`}),
      many ? null : Plot.text(cells.filter(cell => Math.abs(cell.value) >= 0.5), {
        x: 'predicted', y: 'true', text: cell => text(cell.value), pointerEvents: 'none',
        fill: cell => (difference ? (strong(cell) ? 'white' : '#202124') : strong(cell) !== dark ? 'white' : '#202124'),
      }),
    ],
  });
}
