"""The *Ablations* tab in TensorBoard: serves the effects table and the verdicts live. It decides and draws nothing.

What it imports at once is light: TensorBoard loads it in every process.
"""

from runner.board._loader import Loader
from runner.board._serve import serve

__all__ = ["Loader", "serve"]
