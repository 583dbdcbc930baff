"""Counts of classes -> scores, under a stated convention, with intervals, differences and gates."""
