"""Mutants: small wrong changes of the code, by which it is seen whether its tests notice anything."""
