"""A package for each emulated AWS service: backend (state and rules), responses (the wire), errors (AWS's codes).

It exports nothing: the processes of functions start below it and must not load moto.
"""
