"""The only room that knows TensorBoard: writes and reads a run directory."""
