"""Figures for Prometheus: `/metrics`."""
