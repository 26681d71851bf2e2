"""Writes what TensorBoard shows of several runs: means over seeds, charts, columns of hparams, summary cards.

It loads no torch.
"""

from runner.summaries._card import write_card
from runner.summaries._columns import write_columns
from runner.summaries._means import seed_tables, write_mean

__all__ = ["seed_tables", "write_card", "write_columns", "write_mean"]
