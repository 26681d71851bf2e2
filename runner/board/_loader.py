"""What the entry point names: it imports nothing heavy, and never takes TensorBoard down with it."""

from __future__ import annotations

import logging

from tensorboard.plugins import base_plugin


class Loader(base_plugin.TBLoader):  # type: ignore[misc]  # TensorBoard has no types
    """Makes the tab for a TensorBoard process that reads one log directory."""

    def load(self, context: base_plugin.TBContext) -> base_plugin.TBPlugin | None:
        """Returns the plugin; None without a log directory (`--logdir_spec`), or where it can't be made."""
        if not context.logdir:
            return None
        try:
            from runner.board._plugin import AblationsPlugin

            return AblationsPlugin(context)
        except Exception as error:  # TensorBoard must start without the tab, whatever is wrong with it
            logging.getLogger(__name__).warning("the Ablations tab is missing: %s", error)
            return None
