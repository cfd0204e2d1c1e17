"""PID 1 of every sandbox: takes framed requests on stdin, answers on stdout.

Standard library only, and only relative imports: the package is copied into the images as it is.
"""
