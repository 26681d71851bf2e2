"""What a reader of TensorBoard must know and its pages do not say: the text "notes" of the root run."""

NOTES = """
- **Time Series and Scalars** begin with the mean over each variant's seeds (`1_mean_val`, `2_mean_train`). `seeds` is
  how many seeds a mean has at an epoch. A seed that ended early keeps its last value. A seed that still trains counts
  at the epochs that it has reached. In studies with their own training and in adopted logs, a mean has
  the steps that all its seeds logged.
- **Runs are ticked** by TensorBoard: in Time Series all of them up to 500 runs, else none. On the other pages up to 40
  runs that match the filter, else none. So filter by `/mean$` or by a variant.
- **A mean loss above 10** is in the group `mean_diverged`, so that it stretches no other chart. Custom Scalars shows it
  in charts of its own.
- **HParams**: a row is a variant, and its metrics are means over its seeds. TensorBoard sorts the columns of settings:
  first those that differ, then by name. It ticks the first five. Neither can be set from here. To sort by a
  metric, choose it as "Sorting". `z_final/...` are the values at each run's best epoch.
- **Images and PR curves** of the best epoch's weights have that epoch as their step.
""".strip()
