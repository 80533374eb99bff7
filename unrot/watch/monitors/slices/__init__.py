"""Slices: a part of the traffic goes wrong while the rest does not."""
