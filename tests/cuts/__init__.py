"""Power cuts: writers that are killed with -9 at any moment, and what is looked at afterwards."""
