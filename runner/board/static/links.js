// Links into TensorBoard's other dashboards, with the filter and the colors set.

const ROOT = '../../../'; // from the tab's routes to TensorBoard's own page

const literal = text => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Returns links to the runs of a variant's directory beside those of the baseline: {label, href}. */
export function linksOf(study, directory) {
  const filter = `^${literal(study)}/(baseline-[0-9a-f]+|${literal(directory)})/`;
  const query = new URLSearchParams({runFilter: filter, runColorGroup: 'regex:^[^/]+/([^/]+)/'});
  const old = encodeURIComponent(filter);
  return [
    {label: 'Time Series', href: `${ROOT}?${query}#timeseries`},
    {label: 'Scalars', href: `${ROOT}#scalars&regexInput=${old}`},
    {label: 'Images', href: `${ROOT}#images&regexInput=${old}`},
    {label: 'Histograms', href: `${ROOT}#histograms&regexInput=${old}`},
    {label: 'Text', href: `${ROOT}#text&regexInput=${old}`},
  ];
}
