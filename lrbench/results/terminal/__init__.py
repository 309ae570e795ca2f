"""Results in the terminal, 80 columns wide: sweep.py of one sweep, comparison.py of two, layout.py what both
are laid out with.
"""
