"""The only code that calls AWS, one module a service: table, queue, rekognition, objects, hits, mail, functions, batch jobs."""
