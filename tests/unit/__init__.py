"""Tests of one module each; a package, so that test files may share a name with those beside it."""
