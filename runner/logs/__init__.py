"""What is written for TensorBoard: runs, means over seeds, the root's columns. The only room that writes events."""
