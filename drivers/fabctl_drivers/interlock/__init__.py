"""The interlock: a pure chain of states, the pins of a Pi, and the daemon that joins them."""
