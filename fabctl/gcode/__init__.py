"""Reading G-code, pure: what a file does, how long it takes, what is wrong with it."""
