"""Headers of mp4 and mov files, read by ranged GETs."""
