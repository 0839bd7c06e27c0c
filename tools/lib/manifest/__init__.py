"""The manifest of a scan: built from a source, written to disk, uploaded; what cannot be analysed goes to a side list."""
