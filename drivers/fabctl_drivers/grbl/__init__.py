"""The Grbl driver: character counting for Grbl 1.1, grblHAL and FluidNC on a serial port."""
