"""The offline world: moto's server with S3 Batch Operations, Rekognition and functions that really run.

It exports nothing, because the processes of functions start below it and must not load moto. Others use its modules `world`,
`settings` and `samples`; of each package in it, what the package exports.
"""
