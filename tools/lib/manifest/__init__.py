"""The manifest of a scan: from a source to rows, to a file, to S3."""
