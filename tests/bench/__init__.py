"""Benchmarks: `make bench` prints every figure with its aim. Nothing here is a test."""
