"""The server of a Fab Lab: it drives the machines and runs the house."""

__version__ = "0.1.0"
