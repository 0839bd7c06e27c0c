"""The command line: options, output, exit codes, files that are whole or absent."""
