"""Copies of a whole lab: made while it runs, checked, kept by a rotation, put back."""
