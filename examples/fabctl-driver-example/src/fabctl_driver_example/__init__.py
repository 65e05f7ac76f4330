"""A driver for fabctl, as small as one can be: a pen plotter that answers OK."""
