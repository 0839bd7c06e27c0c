"""Where the rows of a manifest come from: a listing, one's own manifest or list of keys, an inventory, or S3 itself."""
