"""Rekognition's content moderation of stored videos: `backend` is the engine, `responses` puts it behind moto's Rekognition."""
