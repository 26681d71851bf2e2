"""The tests mirror the rooms; test_end_to_end reads the real TensorBoard over HTTP."""
