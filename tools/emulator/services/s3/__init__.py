"""S3 where moto's is too kind or too weak."""
