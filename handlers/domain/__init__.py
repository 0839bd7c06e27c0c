"""The pure rules: no AWS, no clock, no environment. Imports the standard library only."""
