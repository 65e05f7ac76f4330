"""Going on from a line of a file: what the machine must be like there, and how it gets there."""
