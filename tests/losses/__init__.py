"""Tests of the losses; a package, so that they may share what is beside them."""
