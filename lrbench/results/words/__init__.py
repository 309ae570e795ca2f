"""What sweeps and differences say, in words."""
