"""The ports with AWS clients: table, queue, rekognition, objects, mail."""
