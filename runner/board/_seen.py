"""Which runs have something on TensorBoard's pages of pictures, as TensorBoard itself has read them."""

from __future__ import annotations

from typing import Any, Protocol

from tensorboard import plugin_util

Seen = dict[str, list[str]]  # page -> names of the runs with something on it


class Provider(Protocol):
    """The part of TensorBoard's data provider that is asked."""

    def list_blob_sequences(self, ctx: Any, *, experiment_id: str, plugin_name: str) -> Any:
        """Returns run -> tag -> description."""

    def list_tensors(self, ctx: Any, *, experiment_id: str, plugin_name: str) -> Any:
        """Returns run -> tag -> description."""


def seen(provider: Provider | None, environ: Any) -> Seen:
    """Returns the runs with images, and those with histograms; a page that no run has is missing."""
    if provider is None:
        return {}
    context = plugin_util.context(environ)
    asked = {"experiment_id": plugin_util.experiment_id(environ)}
    found = {
        "images": provider.list_blob_sequences(context, **asked, plugin_name="images"),
        "histograms": provider.list_tensors(context, **asked, plugin_name="histograms"),
    }
    return {page: sorted(runs) for page, runs in found.items() if runs}
